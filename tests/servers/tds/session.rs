use std::io::Result;
use std::net::TcpStream;

use rusqlite::types::Value;

use super::error::SqlError;
use super::executor::{Effect, Executor, Out, Outcome, Stop};
use super::login::{self, Login};
use super::reader::{Answer, Cursor, Message, read_message};
use super::row::{self, OutColumn};
use super::stream::Stream;
use super::tokens;
use super::types::SqlType;
use super::value;
use super::words::{self, Word};
use super::{Fault, Shared, TdsServer};

/// The number that stands for `sp_executesql`.
const EXECUTE_SQL: u64 = 10;

/// Serves one connection until the client leaves.
pub fn serve(stream: TcpStream, shared: &Shared) -> Result<()> {
    stream.set_nodelay(true)?;
    let Some((mut executor, mut stream)) = log_in(Stream::Plain(stream), shared)? else {
        return Ok(());
    };
    let mut transaction = 0;
    while let Some(message) = read_message(&mut stream)? {
        if executor.attach_schemas().is_err() {
            return Ok(());
        }
        let mut answer = Answer::new(&mut stream);
        let ended = match message.kind {
            0x01 => batch(&mut executor, shared, &message, &mut transaction, &mut answer),
            0x03 => call(&mut executor, shared, &message, &mut transaction, &mut answer),
            0x07 => load(&mut executor, &message, &mut answer),
            0x06 => answer.put(&tokens::done_attention()).map_err(Stop::from),
            kind => {
                let error = SqlError::new(
                    4_002,
                    16,
                    format!("The incoming message of kind {kind} is not understood."),
                );
                told(&mut answer, tokens::DONE, &error).map_err(Stop::from)
            }
        };
        match ended {
            Ok(()) => answer.end()?,
            Err(Stop::Io(_)) => {
                answer.flush_unfinished()?;
                return stream.shutdown();
            }
            Err(Stop::Sql(error)) => {
                told(&mut answer, tokens::DONE, &error)?;
                answer.end()?;
            }
        }
    }
    Ok(())
}

fn told(answer: &mut Answer<'_>, token: u8, error: &SqlError) -> Result<()> {
    answer.put(&tokens::message(error.number, error.severity, &error.text))?;
    answer.put(&tokens::done(token, None, true, true))
}

fn log_in(mut stream: Stream, shared: &Shared) -> Result<Option<(Executor, Stream)>> {
    while let Some(message) = read_message(&mut stream)? {
        let mut answer = Answer::new(&mut stream);
        match message.kind {
            0x12 => {
                answer.put(&login::prelogin(shared.encryption.is_some()))?;
                answer.end()?;
                if let Some(config) = &shared.encryption {
                    stream = stream.encrypt(config)?;
                }
            }
            0x10 => {
                let opened = login::login(&message.body).map(|login| open(&login, shared));
                match opened {
                    Some(Ok((executor, database))) => {
                        answer.put(&tokens::login_acknowledged(&database))?;
                        answer.put(&tokens::done(tokens::DONE, None, false, true))?;
                        answer.end()?;
                        return Ok(Some((executor, stream)));
                    }
                    Some(Err(errors)) => {
                        for error in errors {
                            answer.put(&tokens::message(error.number, error.severity, &error.text))?;
                        }
                        answer.put(&tokens::done(tokens::DONE, None, true, true))?;
                        answer.end()?;
                        return Ok(None);
                    }
                    None => return Ok(None),
                }
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}

fn open(login: &Login, shared: &Shared) -> std::result::Result<(Executor, String), Vec<SqlError>> {
    let refused = SqlError::new(18_456, 14, format!("Login failed for user '{}'.", login.user));
    if login.user != TdsServer::USER || login.password != TdsServer::PASSWORD {
        return Err(vec![refused]);
    }
    let Some(folder) = shared.database(&login.database) else {
        let text = format!(
            "Cannot open database \"{}\" requested by the login. The login failed.",
            login.database
        );
        return Err(vec![SqlError::new(4_060, 11, text), refused]);
    };
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let executor = Executor::open(&folder).map_err(|error| vec![error])?;
    Ok((executor, name))
}

/// Rows on their way to the client, and what befalls them.
struct ToClient<'a, 'b> {
    answer: &'a mut Answer<'b>,
    fault: Option<(u64, Fault)>,
    rows: u64,
}

impl ToClient<'_, '_> {
    fn meet_fault(&self) -> std::result::Result<(), Stop> {
        match self.fault {
            Some((rows, Fault::Error(number, severity))) if rows == self.rows => {
                Err(SqlError::new(number, severity, "An error that the test has planned.").into())
            }
            Some((rows, Fault::Cut)) if rows == self.rows => {
                Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted).into())
            }
            _ => Ok(()),
        }
    }
}

impl Out for ToClient<'_, '_> {
    fn columns(&mut self, columns: &[OutColumn]) -> std::result::Result<(), Stop> {
        Ok(self.answer.put(&row::metadata(columns))?)
    }

    fn row(&mut self, columns: &[OutColumn], found: &rusqlite::Row<'_>) -> std::result::Result<(), Stop> {
        self.meet_fault()?;
        self.rows += 1;
        Ok(self.answer.put(&row::row(columns, found)?)?)
    }
}

/// What stands behind the headers of a message. One of them must name the transaction that the session is in, as the server named it.
///
/// Source: MS-TDS 2.2.5.3.
fn body<'a>(message: &'a Message, executor: &Executor, transaction: u64) -> std::result::Result<&'a [u8], SqlError> {
    let broken = || SqlError::new(4_002, 16, "The headers of the message are not understood.");
    let mut cursor = Cursor::new(&message.body);
    let length = cursor.length::<4>().ok_or_else(broken)?;
    let mut headers = Cursor::new(message.body.get(4..length).ok_or_else(broken)?);
    let expected = if executor.is_in_transaction() { transaction } else { 0 };
    while !headers.is_empty() {
        let size = headers.length::<4>().ok_or_else(broken)?;
        let header = headers.take(size.saturating_sub(4)).ok_or_else(broken)?;
        let mut header = Cursor::new(header);
        if header.number::<2>() == Some(2) && header.number::<8>() != Some(expected) {
            let text = "New request is not allowed to start because it should come with valid transaction descriptor.";
            return Err(SqlError::new(3_989, 16, text));
        }
    }
    message.body.get(length..).ok_or_else(broken)
}

fn batch(
    executor: &mut Executor,
    shared: &Shared,
    message: &Message,
    transaction: &mut u64,
    answer: &mut Answer<'_>,
) -> std::result::Result<(), Stop> {
    let body = body(message, executor, *transaction)?;
    let text = Cursor::new(body).wide(body.len() / 2).unwrap_or_default();
    if text.contains("SET FMTONLY ON") {
        return describe_table(executor, &text, answer);
    }
    let statements = words::statements(&text);
    let fault = shared.fault_of(&text);
    for (place, words) in statements.iter().enumerate() {
        let mut out = ToClient { answer, fault, rows: 0 };
        out.meet_fault()?;
        let outcome = executor.run(words, &[], &mut out)?;
        let is_last = place + 1 == statements.len();
        ended(answer, transaction, &outcome, tokens::DONE, is_last)?;
    }
    if statements.is_empty() {
        answer.put(&tokens::done(tokens::DONE, None, false, true))?;
    }
    Ok(())
}

fn ended(answer: &mut Answer<'_>, transaction: &mut u64, outcome: &Outcome, token: u8, is_last: bool) -> Result<()> {
    let kind = match outcome.effect {
        Effect::None => None,
        Effect::Begun => {
            *transaction += 1;
            Some(8)
        }
        Effect::Committed => Some(9),
        Effect::RolledBack => Some(10),
    };
    if let Some(kind) = kind {
        answer.put(&tokens::changed_transaction(kind, *transaction))?;
    }
    answer.put(&tokens::done(token, outcome.rows, false, is_last))
}

fn call(
    executor: &mut Executor,
    shared: &Shared,
    message: &Message,
    transaction: &mut u64,
    answer: &mut Answer<'_>,
) -> std::result::Result<(), Stop> {
    let (text, parameters) = read_call(body(message, executor, *transaction)?)
        .ok_or_else(|| SqlError::new(2_812, 16, "Of all procedures this server knows `sp_executesql` only."))?;
    let fault = shared.fault_of(&text);
    for words in words::statements(&text) {
        let mut out = ToClient { answer, fault, rows: 0 };
        out.meet_fault()?;
        let outcome = executor.run(&words, &parameters, &mut out)?;
        ended(answer, transaction, &outcome, tokens::DONE_IN_PROCEDURE, false)?;
    }
    answer.put(&tokens::return_status())?;
    answer.put(&tokens::done(tokens::DONE_PROCEDURE, None, false, true))?;
    Ok(())
}

type Call = (String, Vec<(String, Value)>);

/// The text of a call of `sp_executesql`, and its parameters. Source: MS-TDS 2.2.6.6.
fn read_call(body: &[u8]) -> Option<Call> {
    let mut cursor = Cursor::new(body);
    let length = cursor.length::<2>()?;
    let is_known = if length == 0xFFFF {
        cursor.number::<2>()? == EXECUTE_SQL
    } else {
        cursor.wide(length)?.eq_ignore_ascii_case("sp_executesql")
    };
    is_known.then_some(())?;
    cursor.take(2)?;
    let mut given = Vec::new();
    while !cursor.is_empty() {
        let length = cursor.length::<1>()?;
        let name = cursor.wide(length)?;
        cursor.take(1)?;
        let (sql_type, is_fixed) = SqlType::read(&mut cursor)?;
        given.push((name, value::decode(&sql_type, is_fixed, &mut cursor)?));
    }
    let Value::Text(text) = &given.first()?.1 else {
        return None;
    };
    Some((text.clone(), given.iter().skip(2).cloned().collect()))
}

fn load(executor: &mut Executor, message: &Message, answer: &mut Answer<'_>) -> std::result::Result<(), Stop> {
    let rows = executor.load(&message.body)?;
    answer.put(&tokens::done(tokens::DONE, Some(rows), false, true))?;
    Ok(())
}

/// What Microsoft's client asks before a bulk load, in one batch: how deep in transactions it is, a table's columns and their collations.
fn describe_table(executor: &mut Executor, text: &str, answer: &mut Answer<'_>) -> std::result::Result<(), Stop> {
    let depth = [OutColumn::plain("", SqlType::Int(4))];
    answer.put(&row::metadata(&depth))?;
    answer.put(&[0xD1, 4, 0, 0, 0, 0])?;
    answer.put(&tokens::done(tokens::DONE, Some(1), false, false))?;
    let named = words::words(text);
    let at = named.iter().position(|word| word.is("object_id"));
    let name = at.and_then(|at| match named.get(at + 2) {
        Some(Word::Text(name)) => Some(name.clone()),
        _ => None,
    });
    let mut parts = words::words(&name.unwrap_or_default());
    // `tempdb..#table`, and with a database's name before it.
    while parts.iter().filter(|word| word.is_sign('.')).count() > 1 {
        parts.drain(..=parts.iter().position(|word| word.is_sign('.')).unwrap_or_default());
    }
    if parts.first().is_some_and(|word| word.is_sign('.')) {
        parts.remove(0);
    }
    let (table, _) = words::table_name(&parts).ok_or_else(|| SqlError::syntax("object_id"))?;
    let columns = executor.columns_of(&table)?;
    let described: Vec<OutColumn> = columns
        .iter()
        .map(|column| OutColumn {
            name: column.name.clone(),
            sql_type: column.sql_type.clone(),
            is_nullable: column.is_nullable,
            is_identity: column.is_identity,
            is_computed: column.is_computed,
        })
        .collect();
    answer.put(&row::metadata(&described))?;
    answer.put(&tokens::done(tokens::DONE, Some(0), false, false))?;
    let heads = [
        OutColumn::plain("colid", SqlType::Int(4)),
        OutColumn::plain("name", SqlType::NVarChar(Some(128))),
        OutColumn::plain("tds_collation", SqlType::Binary(5)),
        OutColumn::plain("collation", SqlType::NVarChar(Some(128))),
    ];
    answer.put(&row::metadata(&heads))?;
    for (place, column) in described.iter().enumerate() {
        answer.put(&collation_row(place, column))?;
    }
    answer.put(&tokens::done(tokens::DONE, Some(0), false, true))?;
    Ok(())
}

fn collation_row(place: usize, column: &OutColumn) -> Vec<u8> {
    const NAME: &str = "SQL_Latin1_General_CP1_CI_AS";
    let sized = |bytes: &[u8]| {
        let mut out = u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes().to_vec();
        out.extend(bytes);
        out
    };
    let mut row = vec![0xD1, 4];
    row.extend(i32::try_from(place + 1).unwrap_or_default().to_le_bytes());
    row.extend(sized(&tokens::wide(&column.name)));
    if column.sql_type.is_character() {
        row.extend(sized(&tokens::COLLATION));
        row.extend(sized(&tokens::wide(NAME)));
    } else {
        row.extend([0xFF; 4]);
    }
    row
}
