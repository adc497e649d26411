//! Tables of commands: a given state, one command, its answer, its events.

use crate::command::{Arrival, By, Desk, Intent};
use crate::criteria::{Criteria, Seeking, Skill, Step};
use crate::outcome::DoneWhat;
use crate::settings::{AgentSettings, DomainSettings, QueueSettings, RoutingMode};
use crate::testing::{DOMAIN, World, supervisor};
use crate::{
    AgentId, Channel, ChannelSet, Command, ConversationId, Epoch, OfferId, Points, QueueId, Rejected, Span,
    TouchpointId, level,
};

/// What is called, how the scene comes about, the command, its answer and its events.
///
/// The answer is `done` or the refusal's name, and then, if it matters, the state in which it
/// leaves the scene's conversation.
pub(crate) type Row = (&'static str, fn(&mut Scene), fn(&mut Scene) -> Command, &'static str, &'static str);

/// Two desks, signed in and unavailable, two queues and a conversation to be.
pub(crate) struct Scene {
    pub(crate) world: World,
    /// With a wrap-up of 30 s.
    pub(crate) queue: QueueId,
    /// Without wrap-up.
    pub(crate) plain: QueueId,
    /// Both belong to both queues and handle all but Messenger.
    pub(crate) a: Desk,
    pub(crate) b: Desk,
    pub(crate) voice: TouchpointId,
    pub(crate) mail: TouchpointId,
    pub(crate) id: ConversationId,
    pub(crate) offer: OfferId,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let mut world = World::new();
        let wrap_up_max = Span::seconds(30);
        let queue =
            world.queue_with(QueueSettings { name: "q".to_owned(), wrap_up_max, ..QueueSettings::default() });
        let plain = world.queue();
        let [a, b] = [(); 2].map(|()| {
            let agent = world.agent_with(person(&[queue, plain]));
            world.desk(agent)
        });
        let voice = world.touchpoint(Channel::Voice, &[queue]);
        let mail = world.touchpoint_with(Channel::Email, RoutingMode::Simplified { queues: vec![queue] });
        let (id, offer) = (ConversationId::new(DOMAIN, 99), OfferId::new(DOMAIN, 99));
        Self { world, queue, plain, a, b, voice, mail, id, offer }
    }

    pub(crate) fn set(&mut self, change: impl FnOnce(&mut DomainSettings)) {
        let mut settings = self.world.shard.domain(DOMAIN).expect("made").settings;
        change(&mut settings);
        self.world.ok(Command::UpdateDomain { settings });
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.world.pass(Span::seconds(seconds));
    }

    pub(crate) fn ready(&mut self, desk: Desk) {
        self.world.presence(desk, Intent::Available);
    }

    pub(crate) fn away(&mut self, desk: Desk) {
        self.world.presence(desk, Intent::Unavailable { reason: "away".to_owned() });
    }

    pub(crate) fn waiting(&mut self) {
        self.id = self.world.start(self.voice);
    }

    /// Offered to the first desk.
    pub(crate) fn offered(&mut self) {
        self.ready(self.a);
        self.waiting();
        self.offer = self.world.offer_of(self.id).expect("offered").0;
    }

    /// Owned by the first desk, the second one unavailable.
    pub(crate) fn assigned(&mut self) {
        self.offered();
        self.world.accept(self.id);
    }

    pub(crate) fn wrapping(&mut self) {
        self.assigned();
        self.world.ok(Command::EndContact { conversation: self.id, by: By::Customer });
    }

    pub(crate) fn closed(&mut self) {
        self.wrapping();
        self.pass(30);
        self.world.tick();
    }

    pub(crate) fn abandoned(&mut self) {
        self.waiting();
        self.world.ok(Command::Abandon { conversation: self.id });
    }

    pub(crate) fn in_inbox(&mut self) {
        self.id = self.world.start(self.mail);
    }

    /// Pulled from the inbox by the first desk.
    pub(crate) fn pulled(&mut self) {
        self.in_inbox();
        self.world.ok(Command::Assign { desk: self.a, conversation: self.id });
    }

    /// Owned by the first desk and offered to the second, with this fallback.
    pub(crate) fn moving(&mut self, fallback: crate::command::TransferFallback) {
        use crate::command::TransferTarget;
        self.assigned();
        self.ready(self.b);
        let target = TransferTarget::Agent(self.b.agent);
        let by = By::Agent(self.a);
        self.world.ok(Command::Transfer { conversation: self.id, target, fallback, by });
        self.offer = self.world.offer_of(self.id).expect("offered").0;
    }

    /// A touchpoint that is the first desk's alone, and one of its conversations.
    pub(crate) fn dedicated(&mut self, fallback: Option<(QueueId, Span)>) -> TouchpointId {
        let accept = crate::settings::AcceptMode::Manual { ring: Span::seconds(20) };
        let mode = RoutingMode::Dedicated { agent: self.a.agent, accept, fallback };
        let touchpoint = self.world.touchpoint_with(Channel::Voice, mode);
        self.id = self.world.start(touchpoint);
        touchpoint
    }

    /// At the level of skills.
    pub(crate) fn raised(&mut self) {
        self.world.ok(Command::SetLevel { level: level::SKILLS });
    }

    /// From now on an agent can this.
    pub(crate) fn can(&mut self, desk: Desk, all: &[(&str, u8)]) {
        self.world.ok(Command::SetSkills { agent: desk.agent, skills: skills(all), by: supervisor() });
    }

    /// A call with criteria of its own.
    pub(crate) fn asking(&mut self, steps: Vec<Step>) -> ConversationId {
        let (touchpoint, customer, reference) = (self.voice, "c".to_owned(), String::new());
        let arrival = Arrival { touchpoint, customer, reference, priority: None, continues: None };
        match self.world.ok(Command::StartWith { arrival, criteria: Criteria { steps } }).what {
            DoneWhat::Conversation { id, .. } => self.id = id,
            other => panic!("{other:?}"),
        }
        self.id
    }

    /// What a conversation asks for, and how far that has given way.
    pub(crate) fn seeking(&self) -> Seeking {
        *self.world.shard.conversation(self.id).expect("known").seeking.expect("it asks for something")
    }

    /// To whom a conversation is offered.
    pub(crate) fn rings(&self, id: ConversationId) -> Option<AgentId> {
        self.world.offer_of(id).map(|(_, agent)| agent)
    }

    /// Gives an agent other settings.
    pub(crate) fn change(&mut self, agent: AgentId, change: impl FnOnce(&mut AgentSettings)) {
        let mut settings = self.world.shard.agent(agent).expect("made").settings;
        change(&mut settings);
        self.world.ok(Command::UpdateAgent { agent, settings });
    }

    /// The first desk as it was before its session.
    pub(crate) fn stale(&self) -> Desk {
        Desk { agent: self.a.agent, epoch: Epoch(0) }
    }

    pub(crate) fn lose(&mut self) {
        self.world.ok(Command::LoseLease { desk: self.a });
    }

    pub(crate) fn stage(&self) -> &'static str {
        self.world.shard.conversation(self.id).map_or("forgotten", |conversation| conversation.stage.name())
    }
}

/// This desk's agent takes no offers from now on.
pub(crate) fn lunch(desk: Desk) -> Command {
    let intent = Intent::Unavailable { reason: "lunch".to_owned() };
    Command::SetPresence { agent: desk.agent, intent, by: By::Agent(desk) }
}

/// Settings of somebody who handles all but Messenger.
pub(crate) fn person(queues: &[QueueId]) -> AgentSettings {
    let all = Channel::ALL.into_iter().filter(|channel| *channel != Channel::Messenger);
    AgentSettings {
        name: "a".to_owned(),
        capacity: Points(100),
        channels: all.collect::<ChannelSet>(),
        queues: queues.to_vec(),
        ..AgentSettings::default()
    }
}

/// Skills at levels.
pub(crate) fn skills(all: &[(&str, u8)]) -> Vec<Skill> {
    all.iter().map(|(name, level)| Skill { name: (*name).to_owned(), level: *level }).collect()
}

fn lasting(seconds: u64) -> Option<Span> {
    (seconds > 0).then_some(Span::seconds(seconds))
}

/// A step that requires these, for so many seconds; 0: for ever.
pub(crate) fn requires(all: &[(&str, u8)], seconds: u64) -> Step {
    Step { required: skills(all), lasts: lasting(seconds), ..Step::default() }
}

/// The same of what is preferred.
pub(crate) fn prefers(all: &[(&str, u8)], seconds: u64) -> Step {
    Step { preferred: skills(all), lasts: lasting(seconds), ..Step::default() }
}

/// The same for these alone.
pub(crate) fn names(desks: &[Desk], seconds: u64) -> Step {
    let agents = desks.iter().map(|desk| desk.agent).collect();
    Step { agents, lasts: lasting(seconds), ..Step::default() }
}

/// Nothing is done before the command.
pub(crate) fn as_it_is(_: &mut Scene) {}

/// The name of a refusal.
pub(crate) fn name(rejected: &Rejected) -> String {
    let text = format!("{rejected:?}");
    text.split([' ', '(']).next().unwrap_or_default().to_owned()
}

/// Plays every row in a scene of its own and says which differ.
pub(crate) fn play(rows: &[Row]) {
    let mut wrong = Vec::new();
    for (what, given, command, answer, events) in rows {
        let mut scene = Scene::new();
        given(&mut scene);
        let command = command(&mut scene);
        let outcome = scene.world.apply(command);
        let mut seen = outcome.as_ref().map_or_else(name, |_| "done".to_owned());
        if answer.contains(' ') {
            seen = format!("{seen} {}", scene.stage());
        }
        let seen_events = scene.world.events().join(" ");
        if seen != *answer || seen_events != *events {
            wrong.push(format!("{what}: {seen} [{seen_events}], should be {answer} [{events}]; {outcome:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
