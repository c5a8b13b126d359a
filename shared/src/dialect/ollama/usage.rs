//! Token counts as Ollama tells them. It leaves out `prompt_eval_count` where the whole prompt was
//! still in the model's memory, and does not tell reasoning apart.

use crate::dialect::lenient::Count;
use crate::usage::Usage;

/// The usage, unless nothing believable was said.
pub(super) fn usage(prompt: Count, output: Count) -> Option<Usage> {
    let (prompt, output) = (prompt.tokens(), output.tokens());
    prompt.or(output)?;
    Some(Usage { input: prompt.unwrap_or(0), output: output.unwrap_or(0), ..Usage::default() })
}
