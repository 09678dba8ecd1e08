use std::time::Duration;

use opendal::Error;

/// What can be known of a store's answer. OpenDAL keeps it as text only, among which an object's name may say anything, so each
/// part is looked for where no name can stand.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub status: Option<u16>,
    /// `ServerBusy`, `SlowDown`, …
    pub code: Option<String>,
    /// In seconds, as S3 and Azure send it; a date is not used.
    pub retry_after: Option<Duration>,
}

impl Answer {
    pub fn read(error: &Error) -> Self {
        // The parsed body: the message itself.
        let body_code = ["S3Error { code: \"", "AzblobError { code: \""]
            .iter()
            .find_map(|start| error.message().strip_prefix(start))
            .and_then(until_quote);
        // The dump of status and headers, before which only an encoded URI stands.
        const RESPONSE: &str = ", response: Parts { status: ";
        let text = error.to_string();
        let Some(start) = text.find(RESPONSE) else {
            return Self {
                code: body_code,
                ..Self::default()
            };
        };
        let response = &text[start + RESPONSE.len()..];
        let response = &response[..response.find(" }, ").unwrap_or(response.len())];
        let header = |name: &str| {
            let marker = format!("\"{name}\": \"");
            let start = response.find(&marker)? + marker.len();
            until_quote(&response[start..])
        };
        Self {
            status: response.get(..3).and_then(|status| status.parse().ok()),
            code: header("x-ms-error-code").or(body_code),
            retry_after: header("retry-after")
                .and_then(|seconds| seconds.parse().ok())
                .map(Duration::from_secs),
        }
    }
}

fn until_quote(text: &str) -> Option<String> {
    let (value, _) = text.split_once('"')?;
    Some(value.to_owned()).filter(|value| !value.is_empty())
}
