//! `ctl`: operates a running cluster from the shell.

mod act;
mod backup;
mod callback;
mod channel_rules;
mod client;
mod cluster;
mod consult;
mod create;
mod criteria;
mod expected_wait;
mod explain;
mod export_log;
mod fetch;
mod get;
mod handling;
mod hours;
mod json;
mod level;
mod list;
mod move_domain;
mod node;
mod output;
mod pace;
mod picture;
mod policy;
mod replicas;
mod ring;
mod schedule;
mod settings;
mod skills;
mod watch;

use crate::failure::Failure;
use clap::Subcommand;
use client::Client;
use output::Output;

const EXAMPLES: &str = "\
Examples:
  centralita ctl cluster
  centralita ctl node drain 3 --dry-run
  centralita ctl replicas 3
  centralita ctl create account Acme
  centralita ctl create domain --account acct_1 Support
  centralita ctl create queue --domain dom_1 Sales --wrap-up 30s
  centralita ctl create agent --domain dom_1 Ana --queue queue_1_1 --channel voice
  centralita ctl create touchpoint --domain dom_1 --channel voice --queue queue_1_1 +34900123456
  centralita ctl create conversation --touchpoint touch_1_1 +34600111222
  centralita ctl skills agent_1_1 es=90 billing=50
  centralita ctl policy queue_1_1 --service '80% in 20s' --rule '60s then move queue_1_2'
  centralita ctl channel-rules dom_1 --rule 'block chat,sms during voice'
  centralita ctl handling dom_1 --connect voice=10s --idle whatsapp=5 --extend 5m
  centralita ctl pace dom_1 --offers 3 --per 60s
  centralita ctl callback dom_1 --attempts 3 --retry 10m --expire 4h --resume 2m
  centralita ctl call-back conv_1_9 --contact '+34 600 111 222'
  centralita ctl schedule dom_1 office --zone Europe/Madrid --week 'mon-fri 09:00-18:00'
  centralita ctl hours queue_1_1 office --serve-out
  centralita ctl ring queue_1_1 3
  centralita ctl consult conv_1_9 --agent agent_1_2
  centralita ctl list conversations --domain dom_1 --stage queued
  centralita ctl explain wait conv_1_1
  centralita ctl explain pick offer_1_1
  centralita ctl explain queue queue_1_1
  centralita ctl expected-wait conv_1_1
  centralita ctl export-log --domain dom_1 incident.log
  centralita ctl backup /var/backups/centralita
  centralita ctl watch queues --domain dom_1
  centralita ctl picture dom_1
  centralita ctl --json get agent_1_1 | jq .load";

/// Operates a running cluster.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A node, or several with commas between; the first that answers is asked.
    #[arg(long, env = "CENTRALITA_TARGET", default_value = "127.0.0.1:7400", global = true)]
    target: String,
    /// Prints JSON instead of tables.
    #[arg(long, global = true)]
    json: bool,
    /// Who acts, as events will say.
    #[arg(long = "as", value_name = "NAME", env = "USER", default_value = "ctl", global = true)]
    supervisor: String,
    /// What to do.
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows nodes, shards, leaders, lag, what moves, and what is wrong with what to do.
    Cluster,
    /// Takes nodes out of service, for good or for a while.
    Node {
        /// What to do.
        #[command(subcommand)]
        what: node::Node,
    },
    /// Moves a domain to another shard while it works.
    #[command(name = "move", after_help = move_domain::EXAMPLES)]
    Move(move_domain::MoveDomain),
    /// Shows the cluster's feature level, holds it, or lets it rise.
    #[command(after_help = level::EXAMPLES)]
    Level(level::Level),
    /// Says how many replicas every shard should have, and waits until they do.
    #[command(after_help = replicas::EXAMPLES)]
    Replicas(replicas::Replicas),
    /// Makes something; prints its id.
    Create {
        /// What to make.
        #[command(subcommand)]
        what: create::What,
    },
    /// Lists what there is.
    List {
        /// What to list.
        #[command(subcommand)]
        what: list::What,
    },
    /// Shows one thing, by its id.
    Get {
        /// For example dom_1, queue_1_1, agent_1_1, touch_1_1 or conv_1_1.
        id: String,
    },
    /// Follows what happens, until Ctrl-C.
    Watch {
        /// What to follow.
        #[command(subcommand)]
        what: watch::What,
    },
    /// Shows a whole domain as of one event, and how to watch its events from there.
    #[command(after_help = picture::EXAMPLES)]
    Picture(picture::Picture),
    /// Explains a decision.
    Explain {
        /// What to explain.
        #[command(subcommand)]
        what: explain::What,
    },
    /// Shows position and expected wait: of a conversation, or of who would arrive at a queue now.
    #[command(after_help = expected_wait::EXAMPLES)]
    ExpectedWait(expected_wait::ExpectedWait),
    /// Writes a shard's log into a file, to be applied again with `centralita-sim replay`.
    #[command(after_help = export_log::EXAMPLES)]
    ExportLog(export_log::ExportLog),
    /// Brings a backup up to date: a folder from which a cluster can begin again.
    #[command(after_help = backup::EXAMPLES)]
    Backup(backup::Backup),
    /// Moves a conversation.
    #[command(after_help = "Example: centralita ctl transfer conv_1_9 --to-queue queue_1_2")]
    Transfer(act::Transfer),
    /// Closes a conversation, in whatever state it is.
    #[command(after_help = "Example: centralita ctl close conv_1_9 --reason spam")]
    Close(act::Close),
    /// Sets an agent's presence.
    #[command(after_help = "Example: centralita ctl presence agent_1_1 unavailable --reason lunch")]
    Presence(act::Presence),
    /// Pauses a queue, or lets it go on.
    #[command(
        after_help = "Examples: centralita ctl pause queue_1_1\n          centralita ctl pause queue_1_1 --resume"
    )]
    Pause(act::Pause),
    /// Shows an agent's skills, or replaces them.
    #[command(after_help = skills::EXAMPLES)]
    Skills(skills::Skills),
    /// Shows what a queue does with those who wait and how its service goes, or replaces its policy.
    #[command(after_help = policy::EXAMPLES)]
    Policy(policy::Policy),
    /// Ends an agent's session; its work waits again at its age.
    #[command(after_help = "Example: centralita ctl log-out agent_1_1")]
    LogOut(act::LogOut),
    /// Changes the priority of waiting work; its age stays.
    #[command(after_help = "Example: centralita ctl reprioritise conv_1_9 2")]
    Reprioritise(act::Reprioritise),

    /// Shows what agents are not offered while they work on something else, or replaces these rules.
    #[command(after_help = channel_rules::EXAMPLES)]
    ChannelRules(channel_rules::ChannelRules),
    /// Shows how a domain handles contacts that an agent said yes to, or replaces it.
    #[command(after_help = handling::EXAMPLES)]
    Handling(handling::Handling),
    /// Shows how many conversations agents are offered within a time, or replaces it.
    #[command(after_help = pace::EXAMPLES)]
    Pace(pace::Pace),
    /// Shows how a domain calls customers back, or replaces it.
    #[command(after_help = callback::EXAMPLES)]
    Callback(callback::Callback),
    /// Says that a customer who waits is to be called back, or no longer.
    #[command(after_help = callback::CALL_BACK_EXAMPLES)]
    CallBack(callback::CallBack),
    /// Shows to how many agents a queue offers a conversation at once, or changes it.
    #[command(after_help = ring::EXAMPLES)]
    Ring(ring::Ring),
    /// Shows who is consulted about a conversation, or asks an agent, hands it over, or ends that.
    #[command(after_help = consult::EXAMPLES)]
    Consult(consult::Consult),
    /// Says that a conversation waits on its customer, or no longer does.
    #[command(
        after_help = "Examples: centralita ctl idle conv_1_9\n          centralita ctl idle conv_1_9 --over"
    )]
    Idle(act::Idle),
    /// Lets a wrap-up last longer.
    #[command(after_help = "Example: centralita ctl extend conv_1_9 2m")]
    Extend(act::Extend),
    /// Shows a schedule of a domain and what it says now, or makes, replaces or deletes it.
    #[command(after_help = schedule::EXAMPLES)]
    Schedule(schedule::Schedule),
    /// Lists the schedules of a domain.
    #[command(after_help = "Example: centralita ctl schedules dom_1")]
    Schedules(schedule::Schedules),
    /// Shows whether a queue is open, or lets it keep to a schedule of its domain.
    #[command(after_help = hours::EXAMPLES)]
    Hours(hours::Hours),
}

/// Carries the command out.
///
/// # Errors
/// When no node answers or the cluster refuses.
pub async fn run(args: Args) -> Result<(), Failure> {
    let client = Client::connect(&args.target).await?;
    let out = Output { json: args.json };
    let by = args.supervisor;
    match args.command {
        Command::Cluster => cluster::run(&client, out).await,
        Command::Node { what } => what.run(&client, out).await,
        Command::Move(move_domain) => move_domain.run(&client, out).await,
        Command::Level(level) => level.run(&client, out).await,
        Command::Replicas(replicas) => replicas.run(&client, out).await,
        Command::Create { what } => what.run(&client, out).await,
        Command::List { what } => what.run(&client, out).await,
        Command::Get { id } => get::run(&client, out, &id).await,
        Command::Watch { what } => what.run(&client, out).await,
        Command::Picture(picture) => picture.run(&client, out).await,
        Command::Explain { what } => what.run(&client, out).await,
        Command::ExpectedWait(expected) => expected.run(&client, out).await,
        Command::ExportLog(export) => export.run(&client, out).await,
        Command::Backup(backup) => backup.run(&client, out).await,
        Command::Transfer(transfer) => transfer.run(&client, out, by).await,
        Command::Close(close) => close.run(&client, out, by).await,
        Command::Presence(presence) => presence.run(&client, out, by).await,
        Command::Pause(pause) => pause.run(&client, out, by).await,
        Command::Skills(skills) => skills.run(&client, out, by).await,
        Command::Policy(policy) => policy.run(&client, out, by).await,
        Command::LogOut(log_out) => log_out.run(&client, out, by).await,
        Command::Reprioritise(reprioritise) => reprioritise.run(&client, out, by).await,

        Command::ChannelRules(rules) => rules.run(&client, out, by).await,
        Command::Handling(handling) => handling.run(&client, out, by).await,
        Command::Pace(pace) => pace.run(&client, out, by).await,
        Command::Callback(callback) => callback.run(&client, out, by).await,
        Command::Ring(ring) => ring.run(&client, out, by).await,
        Command::CallBack(call_back) => call_back.run(&client, out).await,
        Command::Consult(consult) => consult.run(&client, out, by).await,
        Command::Idle(idle) => idle.run(&client, out, by).await,
        Command::Extend(extend) => extend.run(&client, out, by).await,
        Command::Schedule(schedule) => schedule.run(&client, out, by).await,
        Command::Schedules(schedules) => schedules.run(&client, out).await,
        Command::Hours(hours) => hours.run(&client, out, by).await,
    }
}
