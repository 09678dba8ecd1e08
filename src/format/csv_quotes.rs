/// Follows the text of CSV records beside their parser, which does not tell whether a field was quoted.
#[derive(Debug, Default)]
pub(super) struct Quotes {
    /// Of each field of the record so far that has begun.
    quoted: Vec<bool>,
    place: Place,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Nothing of the field has come.
    #[default]
    Start,
    Bare,
    Quoted,
    /// Behind a quote within quotes: the end of the field, or the first of two that stand for one.
    Ending,
}

impl Quotes {
    /// Takes the next bytes of a record, its line break included.
    pub fn see(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.place = match (self.place, byte) {
                (Place::Start, b'"') => {
                    self.quoted.push(true);
                    Place::Quoted
                }
                (Place::Start, b',') => {
                    self.quoted.push(false);
                    Place::Start
                }
                // An empty field at the end of its record is not asked for: what was not seen is bare.
                (Place::Start, b'\r' | b'\n') => Place::Start,
                (Place::Start, _) => {
                    self.quoted.push(false);
                    Place::Bare
                }
                (Place::Quoted, b'"') => Place::Ending,
                (Place::Quoted, _) => Place::Quoted,
                (Place::Ending, b'"') => Place::Quoted,
                (Place::Ending | Place::Bare, b',') => Place::Start,
                (place, _) => place,
            };
        }
    }

    /// What is known of the fields of the record that has ended.
    pub fn take(&mut self) -> Vec<bool> {
        self.place = Place::Start;
        std::mem::take(&mut self.quoted)
    }
}
