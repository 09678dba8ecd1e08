use super::random::Random;

/// What a test knows beforehand about one file of its job.
#[derive(Clone, Debug)]
pub struct File {
    pub item: String,
    pub name: String,
    pub size: usize,
    pub fate: Fate,
}

/// What is to become of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives at the sink.
    Copied,
    /// It is listed and not at the source: a failure.
    Missing,
    /// Another object of its name is at the sink before the first run.
    There,
}

impl File {
    /// Its name at the source.
    pub fn source(&self) -> String {
        format!("{}/{}", self.item, self.name)
    }

    /// Its name at the sink.
    pub fn target(&self) -> String {
        format!("{}-{}", self.item, self.name)
    }

    pub fn bytes(&self) -> Vec<u8> {
        Random::of(&self.source()).bytes(self.size)
    }

    /// The bytes of the object that is at the sink before: of another length.
    pub fn bytes_there(&self) -> Vec<u8> {
        Random::of("there").bytes(self.size + 1)
    }
}

/// How many files of which kinds a job has.
#[derive(Clone, Copy, Debug)]
pub struct Amount {
    pub items: usize,
    pub files: usize,
    /// Bytes of the largest ordinary file.
    pub size_max: usize,
    /// One in so many is missing at the source, so many is at the sink before; 0 for none.
    pub missing_one_in: usize,
    pub there_one_in: usize,
}

impl Amount {
    pub fn files(self) -> Vec<File> {
        let mut random = Random::of("files");
        let numbers = (0..self.items).flat_map(|item| (0..self.files).map(move |file| (item, file)));
        numbers
            .enumerate()
            .map(|(number, (item, file))| {
                let is = |one_in: usize, at: usize| one_in > 0 && number % one_in == at;
                let fate = if is(self.missing_one_in, 3) {
                    Fate::Missing
                } else if is(self.there_one_in, 1) {
                    Fate::There
                } else {
                    Fate::Copied
                };
                // Most files are small, as in real folders; some are empty.
                let share = random.below(1 << 10);
                let size = if number.is_multiple_of(23) {
                    0
                } else {
                    self.size_max * share / 1024 * share / 1024
                };
                File {
                    item: format!("WI-{item:03}"),
                    name: name(file),
                    size,
                    fate,
                }
            })
            .collect()
    }
}

/// Names that a store or a URI could mangle.
fn name(number: usize) -> String {
    match number % 8 {
        0 => format!("report {number}.pdf"),
        1 => format!("Übersicht März {number}.docx"),
        2 => format!("100% done {number}.csv"),
        3 => format!("a%20b-{number}.bin"),
        4 => format!("見積書-{number}.xlsx"),
        5 => format!("notes [draft] #{number}.txt"),
        6 => format!("photo 🏔 {number}.jpg"),
        _ => format!("plain-{number:03}.bin"),
    }
}

pub fn count(files: &[File], fate: Fate) -> usize {
    files.iter().filter(|file| file.fate == fate).count()
}
