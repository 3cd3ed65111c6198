//! What the server found out, and the count of good and bad sessions.

use std::collections::VecDeque;

use crate::application::Finding;

/// Most lines kept; the oldest go first.
const MAX_LINES: usize = 4096;
/// Longest line, in characters.
const MAX_LINE: usize = 300;

/// Findings and verdicts.
#[derive(Debug, Default)]
pub(crate) struct Log {
    lines: VecDeque<Finding>,
    pub(crate) good_sessions: u32,
    pub(crate) bad_sessions: u32,
}

impl Log {
    /// Notes one line.
    pub(crate) fn note(&mut self, good: bool, text: impl Into<String>) {
        if self.lines.len() == MAX_LINES {
            self.lines.pop_front();
        }
        let text: String = text.into();
        let text = text.chars().take(MAX_LINE).collect();
        self.lines.push_back(Finding { good, text });
    }

    /// The lines, oldest first.
    pub(crate) fn lines(&self) -> Vec<Finding> {
        self.lines.iter().cloned().collect()
    }
}
