//! The naive model keeps every promise itself: the checks and the rules fit each other.

use crate::model::Model;
use crate::support::generator::Generator;
use crate::support::machine::Machine;
use crate::support::run::Watch;

#[test]
fn the_model_breaks_no_promise_and_accepts_half() {
    let (mut commands, mut accepted) = (0, 0);
    for seed in 0..20 {
        let mut generator = Generator::new(seed);
        let (mut model, mut watch) = (Model::default(), Watch::default());
        for step in 0..1_000 {
            let entry = generator.next(&model);
            let (outcome, events) = Machine::apply(&mut model, &entry);
            commands += 1;
            accepted += usize::from(outcome.is_ok());
            let broken = watch.look(&model, &entry, &outcome, &events);
            assert!(broken.is_empty(), "seed {seed}, step {step}: {entry:?}\n{outcome:?}\n{broken:#?}");
        }
    }
    println!("{commands} commands, {accepted} accepted");
    assert!(accepted * 2 >= commands, "{accepted} of {commands} accepted: too hostile to mean much");
}
