//! Policies in events, as the message of that name in the API.

use super::policy::measure;
use super::scalar::millis;
use routing::policy::{Action, Bound, Condition, Policy, Rule, Target};
use serde_json::{Map, Value, json};

/// A policy.
pub(super) fn policy(policy: &Policy) -> Value {
    let target = |target: Target| json!({ "within_ms": millis(target.within), "percent": target.percent });
    json!({
        "rules": policy.rules.iter().map(rule).collect::<Value>(),
        "target": policy.target.map(target),
    })
}

fn rule(rule: &Rule) -> Value {
    let mut fields = match action(&rule.then) {
        Value::Object(then) => then,
        _ => Map::new(),
    };
    fields.insert("after_ms".to_owned(), millis(rule.after).into());
    fields.insert("when".to_owned(), rule.when.iter().map(condition).collect());
    Value::Object(fields)
}

fn condition(condition: &Condition) -> Value {
    let of = condition.of.map(|of| of.to_string()).unwrap_or_default();
    let measure = measure(condition.measure).as_str_name();
    match condition.is {
        Bound::AtLeast(bound) => json!({ "of": of, "measure": measure, "at_least": bound }),
        Bound::Below(bound) => json!({ "of": of, "measure": measure, "below": bound }),
    }
}

/// What a rule does: one field, named as in the API.
pub(super) fn action(action: &Action) -> Value {
    match action {
        Action::Prioritise(priority) => json!({ "prioritise": priority.0 }),
        Action::AddQueue(queue) => json!({ "add_queue": queue.to_string() }),
        Action::MoveTo(queue) => json!({ "move_to": queue.to_string() }),
        Action::ToInbox => json!({ "to_inbox": true }),
        Action::SendTo(touchpoint) => json!({ "send_to": touchpoint.to_string() }),
        Action::Close { reason } => json!({ "close": reason }),
        Action::CallBack => json!({ "call_back": true }),
    }
}
