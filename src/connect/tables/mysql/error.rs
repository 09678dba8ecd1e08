//! What MySQL's and MariaDB's error numbers mean. Source: "Server Error Message Reference" of MySQL, "MariaDB Error Codes".

use mysql_async::{DriverError, Error, IoError, ServerError};

use crate::connect::tls;
use crate::model::{Failure, FailureClass};

/// Class and code by number.
const NUMBERS: &[(u16, FailureClass, &str)] = &[
    (1021, FailureClass::Transient, "database.disk_full"),
    (1040, FailureClass::Throttled, "database.connections"),
    (1044, FailureClass::Denied, "database.denied"),
    (1045, FailureClass::Denied, "database.denied"),
    (1048, FailureClass::Data, "database.constraint"),
    (1049, FailureClass::Permanent, "database.not_found"),
    (1050, FailureClass::Permanent, "database.exists"),
    (1053, FailureClass::Transient, "database.shutdown"),
    (1061, FailureClass::Permanent, "database.exists"),
    (1062, FailureClass::Data, "database.constraint"),
    (1064, FailureClass::Permanent, "database.statement"),
    (1068, FailureClass::Permanent, "database.exists"),
    (1091, FailureClass::NotFound, "database.object_not_found"),
    (1114, FailureClass::Transient, "database.disk_full"),
    (1129, FailureClass::Denied, "database.denied"),
    (1130, FailureClass::Denied, "database.denied"),
    (1142, FailureClass::Denied, Failure::NO_PRIVILEGE),
    (1143, FailureClass::Denied, Failure::NO_PRIVILEGE),
    (1146, FailureClass::NotFound, "database.table_not_found"),
    (1153, FailureClass::Data, "database.too_big"),
    (1158, FailureClass::Transient, "database.connection"),
    (1159, FailureClass::Transient, "database.connection"),
    (1160, FailureClass::Transient, "database.connection"),
    (1161, FailureClass::Transient, "database.connection"),
    (1203, FailureClass::Throttled, "database.connections"),
    (1205, FailureClass::Transient, "database.locked"),
    (1213, FailureClass::Transient, "database.deadlock"),
    (1226, FailureClass::Throttled, "database.connections"),
    (1227, FailureClass::Denied, "database.denied"),
    (1261, FailureClass::Data, "database.value"),
    (1262, FailureClass::Data, "database.value"),
    (1263, FailureClass::Data, "database.constraint"),
    (1264, FailureClass::Data, "database.value"),
    (1265, FailureClass::Data, "database.value"),
    (1290, FailureClass::Denied, "database.read_only"),
    (1292, FailureClass::Data, "database.value"),
    (1300, FailureClass::Data, "database.value"),
    (1317, FailureClass::Transient, "database.cancelled"),
    (1364, FailureClass::Data, "database.constraint"),
    (1366, FailureClass::Data, "database.value"),
    (1367, FailureClass::Data, "database.value"),
    (1406, FailureClass::Data, "database.value"),
    (1411, FailureClass::Data, "database.value"),
    (1451, FailureClass::Data, "database.constraint"),
    (1452, FailureClass::Data, "database.constraint"),
    (1690, FailureClass::Data, "database.value"),
    (1698, FailureClass::Denied, "database.denied"),
    (1792, FailureClass::Denied, "database.read_only"),
    (1826, FailureClass::Permanent, "database.exists"),
    (1836, FailureClass::Denied, "database.read_only"),
    (1927, FailureClass::Transient, "database.cancelled"),
    (2006, FailureClass::Transient, "database.connection"),
    (2013, FailureClass::Transient, "database.connection"),
    (3024, FailureClass::Transient, "database.cancelled"),
    (3140, FailureClass::Data, "database.value"),
    (3819, FailureClass::Data, "database.constraint"),
    (4025, FailureClass::Data, "database.constraint"),
    (4031, FailureClass::Transient, "database.connection"),
];

/// Class and code by the beginning of the SQLSTATE, for numbers that are not listed.
const STATES: &[(&str, FailureClass, &str)] = &[
    ("08", FailureClass::Transient, "database.connection"),
    ("22", FailureClass::Data, "database.value"),
    ("23", FailureClass::Data, "database.constraint"),
    ("28", FailureClass::Denied, "database.denied"),
    ("40", FailureClass::Transient, "database.serialisation"),
    ("42S02", FailureClass::NotFound, "database.table_not_found"),
    ("42", FailureClass::Permanent, "database.statement"),
];

pub(super) fn failure(error: &Error) -> Failure {
    match error {
        Error::Server(ServerError { code, message, state }) => of_number(*code, state, message),
        Error::Io(IoError::Tls(told)) => Failure::permanent("connection.tls", format!("MySQL: no encryption: {told}")),
        Error::Io(IoError::Io(told)) if tls::is_refusal(told) => {
            Failure::permanent("connection.tls", format!("MySQL: no encryption: {told}"))
        }
        Error::Driver(DriverError::NoClientSslFlagFromServer) => Failure::permanent(
            "connection.tls",
            "MySQL: the server offers no encryption; let it, or write `tls: none` where the way to it is safe",
        ),
        Error::Driver(DriverError::PacketTooLarge) => Failure::data(
            "database.too_big",
            "MySQL: a value is larger than the server's `max_allowed_packet`",
        ),
        Error::Driver(
            told @ (DriverError::UnknownAuthPlugin { .. }
            | DriverError::MysqlOldPasswordDisabled
            | DriverError::CleartextPluginDisabled
            | DriverError::StmtParamsMismatch { .. }
            | DriverError::StmtParamsNumberExceedsLimit { .. }
            | DriverError::FromRow { .. }
            | DriverError::FromValue { .. }),
        ) => Failure::permanent("database.driver", format!("MySQL: {}", without_values(told))),
        // What is left has no answer of the server: it is the connection.
        Error::Driver(told) => Failure::transient("database.connection", format!("MySQL: {told}")),
        Error::Io(told) => Failure::transient("database.connection", format!("MySQL: {told}")),
        Error::Other(told) => Failure::transient("database.connection", format!("MySQL: {told}")),
        Error::Url(told) => Failure::permanent("database.driver", format!("MySQL: {told}")),
    }
}

/// What an error or warning of the server means.
pub(super) fn of_number(number: u16, state: &str, message: &str) -> Failure {
    // MariaDB says that a foreign key exists by the number of another error, with the reason in its text.
    let number_meant = if number == 1005 && message.contains("errno: 121") {
        1826
    } else {
        number
    };
    let by_number = NUMBERS.iter().find(|(known, ..)| *known == number_meant);
    let by_state = || {
        let fitting = STATES.iter().filter(|(beginning, ..)| state.starts_with(beginning));
        fitting.max_by_key(|(beginning, ..)| beginning.len())
    };
    let (class, code) = match by_number {
        Some((_, class, code)) => (*class, *code),
        None => by_state().map_or((FailureClass::Permanent, "database.error"), |(_, class, code)| {
            (*class, *code)
        }),
    };
    Failure::new(
        class,
        code,
        format!("MySQL: {}, error {number}", without_value(message)),
    )
}

/// Driver errors hold rows and values, which no message shows.
fn without_values(error: &DriverError) -> String {
    match error {
        DriverError::FromRow { .. } | DriverError::FromValue { .. } => {
            "an answer of another form than expected".to_owned()
        }
        other => other.to_string(),
    }
}

/// The server's words without the value of a row that some of them quote: `Duplicate entry 'x' for key 'y'`.
fn without_value(message: &str) -> String {
    const BEFORE: &[&str] = &["Duplicate entry '", "value: '", "value '"];
    for before in BEFORE {
        let Some(start) = message.find(before).map(|at| at + before.len()) else {
            continue;
        };
        // The value itself may hold quotes: what follows it is sought from the end.
        let end = message
            .rfind("' for ")
            .filter(|end| *end >= start)
            .unwrap_or(message.len());
        return format!("{}…{}", &message[..start], &message[end..]);
    }
    message.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_message_shows_a_value() {
        let cases = [
            (
                "Duplicate entry 'a' for b' for key 'PRIMARY'",
                "Duplicate entry '…' for key 'PRIMARY'",
            ),
            (
                "Incorrect integer value: 'x' for column `d`.`t`.`a` at row 1",
                "Incorrect integer value: '…' for column `d`.`t`.`a` at row 1",
            ),
            (
                "Truncated incorrect DOUBLE value: 'secret'",
                "Truncated incorrect DOUBLE value: '…",
            ),
            (
                "Data too long for column 'a' at row 1",
                "Data too long for column 'a' at row 1",
            ),
        ];
        for (told, shown) in cases {
            assert_eq!(without_value(told), shown);
        }
    }

    #[test]
    fn a_number_decides_before_the_state() {
        let class = |number, state| of_number(number, state, "").class;
        assert_eq!(class(1213, "40001"), FailureClass::Transient);
        assert_eq!(class(1040, "08004"), FailureClass::Throttled);
        assert_eq!(class(9999, "42S02"), FailureClass::NotFound);
        assert_eq!(class(9999, "42000"), FailureClass::Permanent);
        assert_eq!(class(9999, "HY000"), FailureClass::Permanent);
    }
}
