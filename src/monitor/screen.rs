use std::io::{self, Write};

use console::{Term, truncate_str};

/// The whole terminal, for pages that take each other's place. What stood there before comes back when it is dropped.
pub struct Screen {
    term: Term,
}

/// The other screen of the terminal, without a cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";
const TO_START: &str = "\x1b[H";
const CLEAR_LINE: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

impl Screen {
    /// Takes the terminal of stdout, which has to be one.
    pub fn enter() -> io::Result<Self> {
        let mut term = Term::stdout();
        term.write_all(ENTER.as_bytes())?;
        term.flush()?;
        Ok(Self { term })
    }

    /// Draws a page over the last one, cut to the size that the terminal has now.
    pub fn draw(&mut self, page: &str) -> io::Result<()> {
        let (rows, columns) = self.term.size();
        let drawn = fit(page, usize::from(rows), usize::from(columns));
        self.term.write_all(drawn.as_bytes())?;
        self.term.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that went away needs nothing any more.
        let _ = self.term.write_all(LEAVE.as_bytes());
        let _ = self.term.flush();
    }
}

/// A page as what is to be written: no line wraps, and none scrolls the first away.
fn fit(page: &str, rows: usize, columns: usize) -> String {
    let lines = page.lines().take(rows.saturating_sub(1));
    let mut drawn = TO_START.to_owned();
    for line in lines {
        drawn.push_str(&truncate_str(line, columns, "…"));
        drawn.push_str(CLEAR_LINE);
        drawn.push_str("\r\n");
    }
    drawn.push_str(CLEAR_BELOW);
    drawn
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn a_page_is_cut_to_the_terminal() {
        let drawn = fit("one\na long line\nthree\nfour\n", 4, 6);
        assert_eq!(drawn, "\x1b[Hone\x1b[K\r\na lon…\x1b[K\r\nthree\x1b[K\r\n\x1b[J");
        assert_eq!(fit("one\n", 0, 0), "\x1b[H\x1b[J");
    }
}
