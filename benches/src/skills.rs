//! A population with skills: what its agents can, and what its conversations ask for.
//!
//! Agents speak the common language and one or two of 29 others, and know two to four of ten products. Every
//! agent has one of two more skills and nobody has both, so that what asks for both looks at everybody in
//! vain: the hostile part.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use routing::Span;
use routing::criteria::{Criteria, Skill, Step};

/// How long steps last, in seconds, of what arrives while it is measured.
pub const LASTS_S: [u64; 2] = [2, 20];
/// The same of what waits from the beginning.
pub const BACKLOG_LASTS_S: [u64; 2] = [5, 3_600];

const LANGUAGES: usize = 30;
const PRODUCTS: usize = 10;
/// What nobody has both of.
const HALVES: [&str; 2] = ["left", "right"];

fn skill(name: String, level: u8) -> Skill {
    Skill { name, level }
}

/// What an agent can.
pub fn of_agent(rng: &mut ChaCha8Rng, number: usize) -> Vec<Skill> {
    let mut skills = vec![skill("language 0".to_owned(), rng.random_range(30..=100))];
    let mut add = |kind: &str, from: usize, of: usize, count: usize| {
        for _ in 0..count {
            let name = format!("{kind} {}", rng.random_range(from..of));
            if skills.iter().all(|known| known.name != name) {
                skills.push(skill(name, rng.random_range(1..=100)));
            }
        }
    };
    add("language", 1, LANGUAGES, 1 + number % 2);
    add("product", 0, PRODUCTS, 2 + number % 3);
    // Queues take even numbers or odd ones: each of them has both halves.
    skills.push(skill(HALVES[number / 2 % 2].to_owned(), 50));
    skills
}

/// What a conversation asks for, and what that is called; every other one asks for nothing.
pub fn of_conversation(rng: &mut ChaCha8Rng, lasts_s: [u64; 2]) -> Option<(&'static str, Criteria)> {
    let drawn = rng.random_range(0..100);
    let [least, most] = lasts_s;
    let mut lasts = || Some(Span::seconds(rng.random_range(least..=most)));
    if drawn < 50 {
        return None;
    }
    if drawn < 52 {
        let required = HALVES.map(|half| skill(half.to_owned(), 1)).to_vec();
        let steps = vec![Step { required, lasts: lasts(), ..Step::default() }];
        return Some(("start, nobody has both skills", Criteria { steps }));
    }
    let (first, second) = (lasts(), lasts());
    let language = if drawn < 80 { 0 } else { rng.random_range(1..LANGUAGES) };
    let language = format!("language {language}");
    let product = format!("product {}", rng.random_range(0..PRODUCTS));
    let steps = vec![
        Step {
            required: vec![skill(language.clone(), 40), skill(product, 30)],
            preferred: vec![skill(language.clone(), 80)],
            lasts: first,
            ..Step::default()
        },
        Step { required: vec![skill(language, 1)], lasts: second, ..Step::default() },
    ];
    Some(("start with criteria, agents free", Criteria { steps }))
}
