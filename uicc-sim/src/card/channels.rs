//! Logical channels: opening, closing, and what each holds (TS 102 221 sections 7.3.1.1.1 and
//! 11.1.17).

use super::apdu::{Answer, Command, Sw};
use super::config::Protocol;
use super::files::Position;

/// One open channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Channel {
    pub(crate) position: Position,
    /// Response data that wait for GET RESPONSE.
    pub(crate) waiting: Vec<u8>,
}

/// The basic channel and up to 19 others.
#[derive(Debug)]
pub(crate) struct Channels {
    open: [Option<Channel>; 20],
    /// How many there can be beside the basic one.
    limit: u8,
    /// The terminal has said that it can use channels above 3.
    extended: bool,
}

impl Channels {
    pub(crate) fn new(limit: u8) -> Self {
        let mut open = [const { None }; 20];
        open[0] = Some(Channel::default());
        Self { open, limit, extended: false }
    }

    /// Back to the basic channel alone, at the MF.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.limit);
    }

    /// The open channel of a number.
    pub(crate) fn get(&mut self, number: u8) -> Result<&mut Channel, Sw> {
        self.open.get_mut(usize::from(number)).and_then(Option::as_mut).ok_or(Sw::CHANNEL)
    }

    /// Numbers of the open channels, without the basic one.
    pub(crate) fn numbers(&self) -> Vec<u8> {
        (1..).zip(&self.open[1..]).filter(|(_, c)| c.is_some()).map(|(n, _)| n).collect()
    }

    /// TERMINAL CAPABILITY: template `A9` with the terminal's abilities.
    pub(crate) fn terminal_capability(&mut self, command: &Command<'_>) -> Result<Answer, Sw> {
        if (command.p1, command.p2) != (0, 0) {
            return Err(Sw::P1_P2);
        }
        let (tag, mut rest) = super::tlv::only(command.data).map_err(|_| Sw::DATA)?;
        if tag != 0xA9 {
            return Err(Sw::DATA);
        }
        let mut extended = false;
        while let Some((&tag, tail)) = rest.split_first() {
            extended |= tag == 0x81;
            rest = super::tlv::take_value(tail).map_err(|_| Sw::DATA)?.1;
        }
        self.extended = extended;
        Ok(Answer::Done)
    }

    /// MANAGE CHANNEL sent on channel `on`.
    pub(crate) fn manage(
        &mut self,
        on: u8,
        command: &Command<'_>,
        protocol: Protocol,
    ) -> Result<Answer, Sw> {
        if self.limit == 0 {
            return Err(Sw::CHANNEL);
        }
        if !command.data.is_empty() {
            return Err(Sw::WRONG_LENGTH);
        }
        match (command.p1, command.p2) {
            (0x00, 0x00) => {
                command.expects(1, protocol)?;
                self.open(on)
            }
            (0x80, number @ 1..=19) => self.close(on, number),
            _ => Err(Sw::P1_P2),
        }
    }

    fn open(&mut self, on: u8) -> Result<Answer, Sw> {
        let limit = if self.extended { self.limit } else { self.limit.min(3) };
        let free = (1..=limit).find(|&n| self.open[usize::from(n)].is_none());
        let number = free.ok_or(Sw::NOT_SUPPORTED)?;
        // From the basic channel the MF is selected; another one hands its file on.
        let position = if on == 0 { Position::default() } else { self.get(on)?.position.clone() };
        self.open[usize::from(number)] = Some(Channel { position, waiting: Vec::new() });
        Ok(Answer::Exact(vec![number]))
    }

    fn close(&mut self, on: u8, number: u8) -> Result<Answer, Sw> {
        if on != 0 && on != number {
            return Err(Sw::CONDITIONS);
        }
        self.get(number)?;
        self.open[usize::from(number)] = None;
        Ok(Answer::Done)
    }
}
