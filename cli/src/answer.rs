//! Answers to the server's questions: the same to all of them, or what somebody types.

use crate::event;
use crate::output::Output;
use clap::ValueEnum;
use dmsc::event::{Purpose, Question};
use dmsc::limits;
use dmsc::session::{Answer, Kind, Preset, UserAlert};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

/// How questions are answered: the value of `--answer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Manner {
    /// Yes; what is preset; the first choice
    Yes,
    /// No; cancelled where there is no No
    No,
    /// Cancelled
    Cancel,
    /// From standard input, one line for each question; cancelled at its end
    Ask,
}

/// Answers questions in one manner.
pub(crate) struct Answerer {
    manner: Manner,
    output: Arc<Output>,
    /// Typed where the PIN of a bootstrap is asked for, the first time.
    pin: Option<String>,
    /// To the thread that reads standard input.
    asker: Option<Sender<Question>>,
}

impl Answerer {
    /// Answers as `manner` says, and shows the answers.
    pub(crate) fn new(manner: Manner, output: Arc<Output>) -> Self {
        let asker = (manner == Manner::Ask).then(|| {
            let (sender, questions) = mpsc::channel();
            let output = output.clone();
            // Reading may take for ever: the thread ends with the program.
            thread::spawn(move || ask(&questions, &output));
            sender
        });
        Self { manner, output, pin: None, asker }
    }

    /// Types `pin` where the PIN of a bootstrap is asked for; when that was wrong, cancels.
    pub(crate) fn with_pin(self, pin: Option<String>) -> Self {
        Self { pin, ..self }
    }

    /// Answers, now or when there is a line.
    pub(crate) fn answer(&self, question: Question) {
        if let (Purpose::BootstrapPin { tries }, Some(pin)) = (question.purpose, &self.pin) {
            let answer = match tries {
                limits::BOOTSTRAP_PIN_TRIES => Answer::Text(pin.clone()),
                _ => Answer::Cancelled,
            };
            return give(question, answer, &self.output);
        }
        match &self.asker {
            // A notice needs no answer but that it was seen.
            Some(asker) if question.alert.kind != Kind::Display => {
                // The thread lives as long as this sender.
                let _ = asker.send(question);
            }
            _ => {
                let answer = fixed(self.manner, &question.alert);
                give(question, answer, &self.output);
            }
        }
    }
}

fn give(question: Question, answer: Answer, output: &Output) {
    let session = question.session_id;
    output.show(|| event::answer_text(session, &answer), || event::answer_json(session, &answer));
    if let Err(error) = question.answer(answer) {
        log::warn!(target: "dmsc_cli", "answer: {error}");
    }
}

/// The same answer to every question, as far as the question allows it.
fn fixed(manner: Manner, alert: &UserAlert) -> Answer {
    match (manner, alert.kind) {
        (Manner::Cancel, _) => Answer::Cancelled,
        (_, Kind::Display) | (Manner::Yes, Kind::Confirm) => Answer::Accepted,
        (_, Kind::Confirm) => Answer::Rejected,
        (Manner::Yes, _) => preset(alert).unwrap_or(match alert.kind {
            Kind::SingleChoice => Answer::Choices(vec![1]),
            Kind::MultipleChoice => Answer::Choices(Vec::new()),
            _ => Answer::Cancelled,
        }),
        _ => Answer::Cancelled,
    }
}

/// The answer that the server suggests.
fn preset(alert: &UserAlert) -> Option<Answer> {
    match &alert.preset {
        Preset::None => None,
        Preset::Confirm(true) => Some(Answer::Accepted),
        Preset::Confirm(false) => Some(Answer::Rejected),
        Preset::Text(text) => Some(Answer::Text(text.clone())),
        Preset::Choices(numbers) => Some(Answer::Choices(numbers.clone())),
    }
}

fn ask(questions: &Receiver<Question>, output: &Output) {
    for question in questions {
        let answer = loop {
            eprint!("{}: ", prompt(&question.alert));
            let mut line = String::new();
            match io::stdin().read_line(&mut line) {
                Ok(0) | Err(_) => break Answer::Cancelled,
                Ok(_) => {}
            }
            let typed = typed(&question.alert, line.trim_end_matches(['\r', '\n']));
            match typed.filter(|answer| question.alert.check(answer).is_ok()) {
                Some(answer) => break answer,
                None => eprintln!("dmsc: that is no answer to this question"),
            }
        };
        give(question, answer, output);
    }
}

fn prompt(alert: &UserAlert) -> &'static str {
    match alert.kind {
        Kind::Display | Kind::Confirm => "yes, no or cancel",
        Kind::TextInput if alert.hidden => "text (it will be visible)",
        Kind::TextInput => "text",
        Kind::SingleChoice => "number, or cancel",
        Kind::MultipleChoice => "numbers with blanks between, or cancel",
    }
}

/// What a line means; an empty one takes what is preset. `None` if it is no answer.
fn typed(alert: &UserAlert, line: &str) -> Option<Answer> {
    if line.is_empty()
        && let Some(answer) = preset(alert)
    {
        return Some(answer);
    }
    if alert.kind == Kind::TextInput {
        return Some(Answer::Text(line.to_owned()));
    }
    let word = line.trim().to_ascii_lowercase();
    if matches!(word.as_str(), "c" | "cancel") {
        return Some(Answer::Cancelled);
    }
    if !matches!(alert.kind, Kind::SingleChoice | Kind::MultipleChoice) {
        return match word.as_str() {
            "y" | "yes" => Some(Answer::Accepted),
            "n" | "no" => Some(Answer::Rejected),
            _ => None,
        };
    }
    let numbers: Result<Vec<u32>, _> = word.split_whitespace().map(str::parse).collect();
    numbers.ok().map(Answer::Choices)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dmsc::session::Input;

    fn alert(kind: Kind, preset: Preset) -> UserAlert {
        let choices: &[&str] = match kind {
            Kind::SingleChoice | Kind::MultipleChoice => &["a", "b"],
            _ => &[],
        };
        UserAlert {
            kind,
            text: "?".into(),
            choices: choices.iter().map(|&choice| choice.to_owned()).collect(),
            min_display_s: None,
            max_display_s: None,
            preset,
            max_len: None,
            input: Input::default(),
            hidden: false,
        }
    }

    #[test]
    fn every_manner_answers_every_kind() {
        let all = |manner| {
            [
                Kind::Display,
                Kind::Confirm,
                Kind::TextInput,
                Kind::SingleChoice,
                Kind::MultipleChoice,
            ]
            .map(|kind| fixed(manner, &alert(kind, Preset::None)))
        };
        use Answer::{Accepted, Cancelled, Choices, Rejected};
        let yes = [Accepted, Accepted, Cancelled, Choices(vec![1]), Choices(vec![])];
        assert_eq!(all(Manner::Yes), yes);
        assert_eq!(all(Manner::No), [Accepted, Rejected, Cancelled, Cancelled, Cancelled]);
        assert_eq!(all(Manner::Cancel), [const { Cancelled }; 5]);
        let preset = alert(Kind::TextInput, Preset::Text("x".into()));
        assert_eq!(fixed(Manner::Yes, &preset), Answer::Text("x".into()));
    }

    #[test]
    fn lines_are_answers() {
        let confirm = alert(Kind::Confirm, Preset::Confirm(false));
        assert_eq!(typed(&confirm, "Y"), Some(Answer::Accepted));
        assert_eq!(typed(&confirm, "no"), Some(Answer::Rejected));
        assert_eq!(typed(&confirm, ""), Some(Answer::Rejected));
        assert_eq!(typed(&confirm, "perhaps"), None);
        assert_eq!(typed(&alert(Kind::Confirm, Preset::None), ""), None);
        let choices = alert(Kind::MultipleChoice, Preset::None);
        assert_eq!(typed(&choices, " 2 1"), Some(Answer::Choices(vec![2, 1])));
        assert_eq!(typed(&choices, "two"), None);
        assert_eq!(typed(&choices, "cancel"), Some(Answer::Cancelled));
        let text = alert(Kind::TextInput, Preset::None);
        assert_eq!(typed(&text, "cancel "), Some(Answer::Text("cancel ".into())));
    }
}
