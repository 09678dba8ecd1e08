use std::io;

use tokio::sync::mpsc;

/// Single keys as they are pressed, without Enter. The terminal is as it was when this is dropped.
#[derive(Debug)]
pub struct Keyboard {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

impl Keyboard {
    /// Takes the keys of stdin, be it a terminal or not. Ctrl-C stays the signal that it is.
    pub fn enter() -> io::Result<Self> {
        #[cfg(unix)]
        return Ok(Self {
            before: read_single_keys()?,
        });
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// The keys from now on.
    pub fn keys(&self) -> mpsc::UnboundedReceiver<char> {
        let (sender, receiver) = mpsc::unbounded_channel();
        // Reading blocks for ever where nobody types, so that it belongs to a thread that the end of the process ends.
        std::thread::spawn(move || {
            while let Ok(Some(key)) = next_key() {
                if sender.send(key).is_err() {
                    return;
                }
            }
        });
        receiver
    }
}

/// What the terminal was set to; `None` where stdin is none.
#[cfg(unix)]
fn read_single_keys() -> io::Result<Option<rustix::termios::Termios>> {
    use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, isatty, tcgetattr, tcsetattr};

    let stdin = io::stdin();
    if !isatty(&stdin) {
        return Ok(None);
    }
    let before = tcgetattr(&stdin)?;
    let mut single = before.clone();
    single.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
    single.special_codes[SpecialCodeIndex::VMIN] = 1;
    single.special_codes[SpecialCodeIndex::VTIME] = 0;
    tcsetattr(&stdin, OptionalActions::Now, &single)?;
    Ok(Some(before))
}

#[cfg(unix)]
impl Drop for Keyboard {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};

        if let Some(before) = &self.before {
            // A terminal that went away needs nothing any more.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

#[cfg(unix)]
fn next_key() -> io::Result<Option<char>> {
    use std::io::Read;

    let mut byte = [0];
    let read = io::stdin().read(&mut byte)?;
    Ok((read == 1).then_some(char::from(byte[0])))
}

/// The console of Windows gives single keys whatever its mode.
#[cfg(not(unix))]
fn next_key() -> io::Result<Option<char>> {
    console::Term::stdout().read_char().map(Some)
}
