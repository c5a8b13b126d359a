//! Heuristics against prompt injection: phrases that speak to the model about its instructions.
//!
//! A score of phrases, none of which decides alone unless it has no other use. No heuristic finds what an
//! attacker has tried against it; this one is for watching, and is in monitor mode unless told otherwise.
//! It reads English, and the commonest phrases of a few other languages.

use super::Found;
use super::automaton::Automaton;
use std::sync::OnceLock;

/// What is enough, in points.
pub const ENOUGH: u32 = 10;

/// Phrases with their points, all lower case. Phrases of one theme count once.
#[rustfmt::skip]
const PHRASES: &[(&str, u32, u8)] = &[
    // 0: previous instructions.
    ("ignore all previous", 10, 0), ("ignore previous instructions", 10, 0), ("ignore your previous", 10, 0), ("ignore the above", 7, 0),
    ("ignore all prior", 10, 0), ("ignore any previous", 10, 0), ("ignore all the instructions", 10, 0), ("ignore your instructions", 10, 0),
    ("disregard all previous", 10, 0), ("disregard the above", 8, 0), ("disregard your", 6, 0), ("disregard all prior", 10, 0), ("disregard previous", 10, 0),
    ("forget all previous", 10, 0), ("forget everything you", 7, 0), ("forget your previous", 10, 0), ("forget your instructions", 10, 0), ("forget all your", 7, 0),
    ("override your", 7, 0), ("overrides all", 6, 0), ("new instructions:", 6, 0), ("previous instructions", 4, 0), ("prior instructions", 4, 0), ("your usual instructions", 7, 0),
    ("vergiss alle", 7, 0), ("ignoriere alle vorherigen", 10, 0), ("ignore toutes les instructions", 10, 0), ("ignora todas las instrucciones", 10, 0), ("忽略之前的", 10, 0), ("忽略以上", 10, 0),
    // 1: the system's prompt.
    ("system prompt", 3, 1), ("reveal your instructions", 9, 1), ("your initial instructions", 6, 1), ("print your instructions", 9, 1), ("repeat the words above", 9, 1),
    ("your system message", 6, 1), ("hidden instructions", 5, 1), ("output your system", 9, 1),
    // 2: famous persons.
    ("do anything now", 10, 2), ("dan mode", 10, 2), ("developer mode", 6, 2), ("jailbreak", 4, 2), ("jailbroken", 7, 2), ("aim mode", 7, 2), ("stan mode", 7, 2),
    ("dude mode", 7, 2), ("evil mode", 7, 2), ("god mode", 4, 2), ("as dan", 7, 2), ("named dan", 9, 2), ("a dan", 4, 2), ("dan:", 5, 2), ("always intelligent and machiavellian", 10, 2), ("unfiltered", 4, 2),
    ("evil-bot", 6, 2), ("opposite mode", 6, 2), ("betterdan", 9, 2), ("chatgpt with", 4, 2), ("evil trusted confidant", 9, 2),
    // 3: rules that no longer hold.
    ("no restrictions", 5, 3), ("without any restrictions", 6, 3), ("without restrictions", 5, 3), ("free of all restrictions", 9, 3), ("no rules", 3, 3), ("no ethical", 6, 3),
    ("no moral", 4, 3), ("ethical guidelines", 3, 3), ("ethical or moral", 5, 3), ("moral or ethical", 5, 3), ("amoral", 4, 3), ("no filter", 4, 3), ("without filter", 5, 3), ("without censorship", 6, 3),
    ("uncensored", 5, 3), ("no limitations", 4, 3), ("no longer bound", 8, 3), ("not bound by", 5, 3), ("broken free", 7, 3), ("do not have to abide", 9, 3), ("does not have to abide", 9, 3), ("doesn't have to follow", 5, 3), ("bypass", 2, 3),
    ("openai policy", 6, 3), ("openai policies", 6, 3), ("openai's policies", 6, 3), ("openai's content", 6, 3), ("content policy", 3, 3), ("content policies", 4, 3), ("openai guidelines", 6, 3), ("safety guidelines", 4, 3), ("ignores all", 5, 3),
    ("not follow any rules", 7, 3), ("no censorship", 6, 3), ("illegal or immoral", 5, 3), ("immoral", 2, 3), ("unethical", 2, 3), ("regardless of ethics", 7, 3), ("has no morals", 6, 3), ("guidelines do not apply", 9, 3), ("without any limitations", 5, 3), ("unrestricted", 4, 3), ("bypasses", 4, 3),
    // 4: who it is to be.
    ("from now on", 4, 4), ("you are going to act as", 6, 4), ("you are going to pretend", 6, 4), ("act as if you", 3, 4), ("pretend you are", 3, 4), ("pretend to be", 3, 4), ("you are now", 4, 4), ("you will now", 3, 4), ("immerse yourself", 5, 4),
    ("hypothetical response", 5, 4), ("roleplay as", 3, 4), ("role-play as", 3, 4), ("play the role of", 3, 4), ("act as", 2, 4), ("simulate", 2, 4), ("ab jetzt bist du", 6, 4), ("you're now", 4, 4), ("respond as", 3, 4), ("answer as", 3, 4), ("speak as", 2, 4), ("you must act", 4, 4),
    // 5: how it must never answer.
    ("stay in character", 5, 5), ("break character", 4, 5), ("never refuse", 6, 5), ("never say no", 5, 5), ("cannot refuse", 6, 5), ("can't refuse", 6, 5), ("don't refuse", 5, 5), ("i cannot", 2, 5), ("i'm sorry", 2, 5), ("as an ai language model", 4, 5), ("as an ai", 3, 5), ("refuse to answer", 4, 5),
    ("two responses", 4, 5), ("two different ways", 5, 5), ("in two ways", 4, 5), ("stay a dan", 8, 5), ("no matter what", 3, 5), ("never apologize", 5, 5), ("do not apologize", 4, 5), ("will never refuse", 6, 5), ("answer every question", 4, 5), ("answer any question", 4, 5), ("without warnings", 4, 5), ("disclaimer", 2, 5), ("tokens", 1, 5), ("warnings", 1, 5),
    // 6: marks of a format that is the system's own.
    ("<|im_start|>", 10, 6), ("<|system|>", 10, 6), ("[system]", 4, 6), ("### instruction:", 5, 6), ("<<sys>>", 10, 6), ("[inst]", 6, 6), ("begin admin", 7, 6), ("system override", 8, 6), ("end of system prompt", 9, 6), ("</system>", 5, 6),
    // 7: who is addressed.
    ("chatgpt", 2, 7), ("language model", 2, 7), ("openai", 2, 7), ("another ai", 3, 7), ("new ai", 2, 7), ("my next prompt", 3, 7), ("my first question", 2, 7), ("my first request", 2, 7), ("unbiased", 1, 7),
];

fn automaton() -> &'static Automaton {
    static AUTOMATON: OnceLock<Automaton> = OnceLock::new();
    AUTOMATON.get_or_init(|| Automaton::new(PHRASES.iter().map(|phrase| phrase.0)).unwrap_or_default())
}

/// How much a text speaks like an injection, in points.
pub fn score(text: &str) -> u32 {
    let folded = text.to_ascii_lowercase();
    let mut best = [0u32; 8];
    automaton().each(folded.as_bytes(), |number, start, _| {
        let Some(&(_, points, theme)) = PHRASES.get(number) else { return };
        if super::before(folded.as_bytes(), start).is_ascii_alphanumeric() {
            return;
        }
        if let Some(most) = best.get_mut(usize::from(theme)) {
            *most = (*most).max(points);
        }
    });
    best.iter().sum()
}

/// Finds an injection: the whole of a text, or nothing.
pub fn find(text: &str, enough: u32, out: &mut Vec<Found>) {
    if score(text) >= enough {
        out.push(Found::new("prompt_injection", 0..text.len()));
    }
}

#[cfg(test)]
mod tests;
