use crate::model::{Failure, FailureClass, Secret, SecretReference};

/// Reads a secret where its reference says. Messages name the place, never the value.
///
/// # Errors
/// Class `denied`, code `connection.secret_missing`: the variable is not set (or empty), the file cannot be read.
pub(super) async fn read(reference: &SecretReference) -> Result<Secret, Failure> {
    match reference {
        SecretReference::Environment(variable) => match std::env::var(variable) {
            Ok(value) if !value.is_empty() => Ok(Secret::new(value)),
            Ok(_) => Err(missing(format!(
                "the environment variable `{variable}` is empty; set it"
            ))),
            Err(std::env::VarError::NotPresent) => Err(missing(format!(
                "the environment variable `{variable}` is not set; set it before starting"
            ))),
            Err(std::env::VarError::NotUnicode(_)) => Err(missing(format!(
                "the environment variable `{variable}` is not Unicode text"
            ))),
        },
        SecretReference::File(path) => match tokio::fs::read_to_string(path).await {
            Ok(text) => {
                let value = text.strip_suffix('\n').unwrap_or(&text);
                Ok(Secret::new(value.strip_suffix('\r').unwrap_or(value).to_owned()))
            }
            Err(error) => Err(missing(format!(
                "the secret's file `{}` cannot be read: {}",
                path.display(),
                error.kind()
            ))),
        },
    }
}

/// As [`read`], for a secret that a connection need not have.
pub(super) async fn read_optional(reference: Option<&SecretReference>) -> Result<Option<Secret>, Failure> {
    match reference {
        Some(reference) => read(reference).await.map(Some),
        None => Ok(None),
    }
}

fn missing(message: String) -> Failure {
    Failure::new(FailureClass::Denied, "connection.secret_missing", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_gives_its_text_without_the_last_line_break() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "abc\ndef\r\n").unwrap();
        let secret = read(&SecretReference::File(path.clone())).await.unwrap();
        assert_eq!(secret.reveal(), "abc\ndef");

        let absent = SecretReference::File(folder.path().join("absent"));
        let failure = read(&absent).await.unwrap_err();
        assert_eq!(failure.code, "connection.secret_missing");
        assert!(failure.message.contains("absent"), "{failure}");
    }
}
