//! Pictures that follow a domain entry by entry are those that would be taken anew, and the checks
//! that look only at what changed are silent on a sound engine.

use crate::model::Model;
use crate::support::generator::Generator;
use crate::support::machine::{Engine, Machine};
use routing::invariants::{Ghost, Step, check_all};
use routing::view::DomainView;
use routing::{DomainId, Look, Pictures};
use std::collections::BTreeMap;

#[test]
fn following_shows_what_a_new_picture_shows() {
    for seed in 0..12 {
        let mut generator = Generator::new(seed);
        let (mut engine, mut model) = (Engine::new(), Model::default());
        let mut pictures = BTreeMap::<DomainId, Pictures>::new();
        let mut ghosts = BTreeMap::<DomainId, Ghost>::new();
        let mut last = BTreeMap::<DomainId, DomainView>::new();
        for step in 0..600 {
            let entry = generator.next(&model);
            let _ = Machine::apply(&mut model, &entry);
            let (outcome, events) = engine.apply(&entry);
            let views = engine.views();
            for (domain, view) in &views {
                let at = format!("seed {seed}, step {step}, {domain}: {entry:?}");
                let events: Vec<_> = events.iter().filter(|event| event.domain == *domain).cloned().collect();
                let followed = pictures
                    .entry(*domain)
                    .or_insert_with(|| Pictures::first(&engine.shard, *domain).expect("the domain is there"));
                if last.contains_key(domain) {
                    followed.follow(&engine.shard, &events, Look::Live);
                }
                assert_eq!(followed.after(), view, "{at}");
                assert_eq!(followed.before(), last.get(domain), "{at}");
                let ghost = ghosts.entry(*domain).or_default();
                let touched = Some(followed.touched()).filter(|_| step % 16 != 0);
                let step = Step {
                    before: followed.before(),
                    entry: &entry,
                    outcome: &outcome,
                    after: view,
                    events: &events,
                    touched,
                };
                assert_eq!(check_all(&step, ghost), [], "{at}");
            }
            last = views;
        }
    }
}
