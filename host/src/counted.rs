//! Numbers of things in a sentence.

/// `1 function`, and of any other number `2 functions`.
pub(crate) fn counted(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}
