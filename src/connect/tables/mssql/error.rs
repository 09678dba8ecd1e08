//! What SQL Server's error numbers mean. Source: "Database Engine events and errors" and "Troubleshoot transient connection errors" of
//! Microsoft's documentation.

use mssql_tds::error::{Error, SqlErrorInfo};

use crate::model::{Failure, FailureClass};

/// Class and code by number.
const NUMBERS: &[(u32, FailureClass, &str)] = &[
    (20, FailureClass::Permanent, "connection.tls"),
    (64, FailureClass::Transient, "database.connection"),
    (102, FailureClass::Permanent, "database.statement"),
    (105, FailureClass::Permanent, "database.statement"),
    (121, FailureClass::Transient, "database.connection"),
    (137, FailureClass::Permanent, "database.statement"),
    (156, FailureClass::Permanent, "database.statement"),
    (207, FailureClass::Permanent, "database.statement"),
    (208, FailureClass::NotFound, "database.table_not_found"),
    (220, FailureClass::Data, "database.value"),
    (229, FailureClass::Denied, Failure::NO_PRIVILEGE),
    (230, FailureClass::Denied, Failure::NO_PRIVILEGE),
    (232, FailureClass::Data, "database.value"),
    (233, FailureClass::Transient, "database.connection"),
    (241, FailureClass::Data, "database.value"),
    (242, FailureClass::Data, "database.value"),
    (245, FailureClass::Data, "database.value"),
    (248, FailureClass::Data, "database.value"),
    (262, FailureClass::Denied, Failure::NO_PRIVILEGE),
    (295, FailureClass::Data, "database.value"),
    (297, FailureClass::Denied, "database.denied"),
    (300, FailureClass::Denied, "database.denied"),
    (334, FailureClass::Permanent, "database.statement"),
    (511, FailureClass::Data, "database.too_big"),
    (515, FailureClass::Data, "database.constraint"),
    (517, FailureClass::Data, "database.value"),
    (544, FailureClass::Permanent, "database.statement"),
    (547, FailureClass::Data, "database.constraint"),
    (596, FailureClass::Transient, "database.cancelled"),
    (615, FailureClass::Transient, "database.unavailable"),
    (628, FailureClass::Permanent, "database.transaction"),
    (701, FailureClass::Transient, "database.memory"),
    (802, FailureClass::Transient, "database.memory"),
    (916, FailureClass::Denied, "database.denied"),
    (926, FailureClass::Transient, "database.unavailable"),
    (1038, FailureClass::Permanent, "database.statement"),
    (1088, FailureClass::NotFound, "database.table_not_found"),
    (1101, FailureClass::Transient, "database.disk_full"),
    (1105, FailureClass::Transient, "database.disk_full"),
    (1204, FailureClass::Transient, "database.locked"),
    (1205, FailureClass::Transient, "database.deadlock"),
    (1222, FailureClass::Transient, "database.locked"),
    (1505, FailureClass::Data, "database.constraint"),
    (1779, FailureClass::Permanent, "database.exists"),
    (1913, FailureClass::Permanent, "database.exists"),
    (2601, FailureClass::Data, "database.constraint"),
    (2627, FailureClass::Data, "database.constraint"),
    (2628, FailureClass::Data, "database.value"),
    (2714, FailureClass::Permanent, "database.exists"),
    (2812, FailureClass::Permanent, "database.statement"),
    (3701, FailureClass::NotFound, "database.table_not_found"),
    (3726, FailureClass::Permanent, "database.dependents"),
    (3728, FailureClass::NotFound, "database.object_not_found"),
    (3729, FailureClass::Permanent, "database.dependents"),
    (3902, FailureClass::Permanent, "database.transaction"),
    (3903, FailureClass::Permanent, "database.transaction"),
    (3906, FailureClass::Denied, "database.read_only"),
    (3930, FailureClass::Permanent, "database.transaction"),
    (3931, FailureClass::Permanent, "database.transaction"),
    (3960, FailureClass::Transient, "database.serialisation"),
    (3961, FailureClass::Transient, "database.serialisation"),
    (4060, FailureClass::Permanent, "database.not_found"),
    (4221, FailureClass::Transient, "database.unavailable"),
    (4701, FailureClass::NotFound, "database.table_not_found"),
    (4712, FailureClass::Permanent, "database.statement"),
    (4815, FailureClass::Data, "database.value"),
    (4863, FailureClass::Data, "database.value"),
    (4864, FailureClass::Data, "database.value"),
    (4902, FailureClass::NotFound, "database.table_not_found"),
    (6005, FailureClass::Transient, "database.shutdown"),
    (6401, FailureClass::Permanent, "database.transaction"),
    (6522, FailureClass::Data, "database.value"),
    (8106, FailureClass::Permanent, "database.statement"),
    (8114, FailureClass::Data, "database.value"),
    (8115, FailureClass::Data, "database.value"),
    (8134, FailureClass::Data, "database.value"),
    (8152, FailureClass::Data, "database.value"),
    (8169, FailureClass::Data, "database.value"),
    (8645, FailureClass::Transient, "database.memory"),
    (8651, FailureClass::Transient, "database.memory"),
    (9002, FailureClass::Transient, "database.disk_full"),
    (9400, FailureClass::Data, "database.value"),
    (9402, FailureClass::Data, "database.value"),
    (9410, FailureClass::Data, "database.value"),
    (9411, FailureClass::Data, "database.value"),
    (9413, FailureClass::Data, "database.value"),
    (9420, FailureClass::Data, "database.value"),
    (9436, FailureClass::Data, "database.value"),
    (9455, FailureClass::Data, "database.value"),
    (10053, FailureClass::Transient, "database.connection"),
    (10054, FailureClass::Transient, "database.connection"),
    (10060, FailureClass::Transient, "database.connection"),
    (10928, FailureClass::Throttled, "database.throttled"),
    (10929, FailureClass::Throttled, "database.throttled"),
    (13609, FailureClass::Data, "database.value"),
    (17142, FailureClass::Transient, "database.shutdown"),
    (17809, FailureClass::Throttled, "database.connections"),
    (17810, FailureClass::Throttled, "database.connections"),
    (18401, FailureClass::Transient, "database.unavailable"),
    (18452, FailureClass::Denied, "database.denied"),
    (18456, FailureClass::Denied, "database.denied"),
    (18470, FailureClass::Denied, "database.denied"),
    (18486, FailureClass::Denied, "database.denied"),
    (18487, FailureClass::Denied, "database.denied"),
    (18488, FailureClass::Denied, "database.denied"),
    (40143, FailureClass::Transient, "database.unavailable"),
    (40197, FailureClass::Transient, "database.unavailable"),
    (40501, FailureClass::Throttled, "database.throttled"),
    (40540, FailureClass::Transient, "database.unavailable"),
    (40544, FailureClass::Permanent, "database.disk_full"),
    (40549, FailureClass::Throttled, "database.throttled"),
    (40550, FailureClass::Throttled, "database.throttled"),
    (40551, FailureClass::Throttled, "database.throttled"),
    (40552, FailureClass::Throttled, "database.throttled"),
    (40553, FailureClass::Throttled, "database.throttled"),
    (40613, FailureClass::Transient, "database.unavailable"),
    (40615, FailureClass::Denied, "database.denied"),
    (40914, FailureClass::Denied, "database.denied"),
    (49918, FailureClass::Throttled, "database.throttled"),
    (49919, FailureClass::Throttled, "database.throttled"),
    (49920, FailureClass::Throttled, "database.throttled"),
    // Our own, of a swap that waits for another.
    (51222, FailureClass::Transient, "database.locked"),
];

/// Severities at and above which the server ends the connection.
const SEVERITY_FATAL: i32 = 20;

pub(super) fn failure(error: &Error) -> Failure {
    let tls = |told: &dyn std::fmt::Display| {
        Failure::permanent("connection.tls", format!("SQL Server: no encryption: {told}"))
    };
    match error {
        Error::SqlServerError { diagnostics } => of_errors(&diagnostics.errors),
        Error::TlsError(told) => tls(told),
        Error::TlsHandshakeError { .. }
        | Error::CertificateExpired
        | Error::CertificateMismatch
        | Error::NoServerCertificate
        | Error::CertificateNotFound { .. }
        | Error::InvalidCertificateFormat { .. }
        | Error::CertificateFileIoError { .. } => tls(error),
        Error::ProtocolError(told) if told.contains("client requires it") => Failure::permanent(
            "connection.tls",
            "SQL Server: the server offers no encryption; let it, or write `tls: none` where the way to it is safe",
        ),
        Error::Io(_)
        | Error::TimeoutError(_)
        | Error::ConnectionError(_)
        | Error::ConnectionClosed(_)
        | Error::OperationCancelledError(_)
        | Error::Redirection { .. }
        | Error::SessionRecoveryFailed { .. }
        | Error::SessionNotRecoverable(_)
        | Error::ReconnectionValidationFailed(_)
        | Error::ConnectionResetNotAcknowledged => {
            Failure::transient("database.connection", format!("SQL Server: {error}"))
        }
        Error::EncodedValueTooLong { .. } => Failure::data("database.value", format!("SQL Server: {error}")),
        // These may quote a value, which no message shows.
        Error::TypeConversionError(_) => {
            Failure::data("database.value", "SQL Server: a value is not of its column's type")
        }
        Error::UnsupportedEncoding { .. } => Failure::permanent("database.driver", format!("SQL Server: {error}")),
        // A stream that ends in the middle of a token is a lost connection to whoever reads it.
        Error::ProtocolError(told) if told.to_lowercase().contains("end of") => {
            Failure::transient("database.connection", format!("SQL Server: {told}"))
        }
        other => Failure::permanent("database.driver", format!("SQL Server: {other}")),
    }
}

/// What the errors of one answer mean: a login that fails because of its database says so first and that it failed after it.
fn of_errors(errors: &[SqlErrorInfo]) -> Failure {
    let known = |error: &&SqlErrorInfo| NUMBERS.iter().any(|(number, ..)| *number == error.number);
    match errors.iter().find(known).or_else(|| errors.first()) {
        Some(error) => of_number(error.number, error.class, &error.message),
        None => Failure::permanent("database.error", "SQL Server: an error that the server does not name"),
    }
}

/// What an error of the server means.
pub(super) fn of_number(number: u32, severity: i32, message: &str) -> Failure {
    let (class, code) = match NUMBERS.iter().find(|(known, ..)| *known == number) {
        Some((_, class, code)) => (*class, *code),
        // 14 is what the login may not do, 17 that something ran out.
        None => match severity {
            14 => (FailureClass::Denied, "database.denied"),
            17 => (FailureClass::Transient, "database.resources"),
            SEVERITY_FATAL.. => (FailureClass::Transient, "database.connection"),
            _ => (FailureClass::Permanent, "database.error"),
        },
    };
    Failure::new(
        class,
        code,
        format!(
            "SQL Server: {}, error {number}",
            without_value(message).trim_end_matches('.')
        ),
    )
}

/// The server's words without the value of a row that some of them quote.
fn without_value(message: &str) -> String {
    const BEFORE: &[(&str, &str)] = &[
        ("The duplicate key value is (", ")."),
        ("Truncated value: '", "'."),
        (" value '", "' to "),
    ];
    for (before, behind) in BEFORE {
        let Some(start) = message.find(before).map(|at| at + before.len()) else {
            continue;
        };
        // The value itself may hold brackets and quotes: what follows it is sought from the end.
        let end = message
            .rfind(behind)
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
    fn numbers_are_in_order_and_none_stands_twice() {
        assert!(NUMBERS.is_sorted_by(|(before, ..), (after, ..)| before < after));
    }

    #[test]
    fn a_number_decides_before_the_severity() {
        let class = |number, severity| of_number(number, severity, "").class;
        assert_eq!(class(1205, 13), FailureClass::Transient);
        assert_eq!(class(1222, 16), FailureClass::Transient);
        assert_eq!(class(40_501, 20), FailureClass::Throttled);
        assert_eq!(class(49_919, 16), FailureClass::Throttled);
        assert_eq!(class(18_456, 14), FailureClass::Denied);
        assert_eq!(class(229, 14), FailureClass::Denied);
        assert_eq!(class(2627, 14), FailureClass::Data);
        assert_eq!(class(208, 16), FailureClass::NotFound);
        assert_eq!(class(207, 16), FailureClass::Permanent);
        assert_eq!(class(8152, 16), FailureClass::Data);
        assert_eq!(class(99_999, 14), FailureClass::Denied);
        assert_eq!(class(99_999, 17), FailureClass::Transient);
        assert_eq!(class(99_999, 21), FailureClass::Transient);
        assert_eq!(class(99_999, 16), FailureClass::Permanent);
    }

    #[test]
    fn no_message_shows_a_value() {
        let cases = [
            (
                "Cannot insert duplicate key in object 'dbo.t'. The duplicate key value is (1, a) b).",
                "Cannot insert duplicate key in object 'dbo.t'. The duplicate key value is (…).",
            ),
            (
                "String or binary data would be truncated in table 'd.dbo.t', column 'a'. Truncated value: 'sec'ret'.",
                "String or binary data would be truncated in table 'd.dbo.t', column 'a'. Truncated value: '…'.",
            ),
            (
                "Conversion failed when converting the nvarchar value 'secret' to data type int.",
                "Conversion failed when converting the nvarchar value '…' to data type int.",
            ),
            ("Invalid object name 'dbo.t'.", "Invalid object name 'dbo.t'."),
        ];
        for (told, shown) in cases {
            assert_eq!(without_value(told), shown);
        }
    }
}
