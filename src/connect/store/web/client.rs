use std::ops::Range;
use std::time::Duration;

use ::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_TYPE, ETAG, LAST_MODIFIED, RANGE,
};
use ::http::{HeaderMap, HeaderValue, Method, StatusCode};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures::Stream;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, RequestBuilder, Response, redirect};

use super::super::meaning::{self, Action, REFUSED};
use super::super::{ByteStream, ObjectInfo, ObjectMetadata, exact};
use super::error;
use crate::connect::{secrets, tls};
use crate::model::{ConnectionConfig, Failure, Timestamp, WebCredentials};

/// What stands for itself in one segment of a path: the unreserved characters.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Other addresses that a server may send a reader to, one after the other.
const REDIRECTS_MAX: usize = 5;

/// Requests to one server, below one address.
pub(super) struct WebClient {
    client: Client,
    /// Without a slash at its end.
    endpoint: String,
    authorization: Option<HeaderValue>,
    timeout: Duration,
}

impl WebClient {
    /// Makes no request yet. Where `follow` is not set, a server that sends to another address has refused.
    pub async fn open(
        config: &ConnectionConfig,
        endpoint: &str,
        credentials: &WebCredentials,
        follow: bool,
    ) -> Result<Self, Failure> {
        tls::install();
        let redirects = if follow {
            redirect::Policy::limited(REDIRECTS_MAX)
        } else {
            redirect::Policy::none()
        };
        let client = Client::builder()
            .connect_timeout(config.timeout)
            .read_timeout(config.timeout)
            .redirect(redirects)
            .build()
            .map_err(|error| Failure::permanent("connection.configuration", error.without_url().to_string()))?;
        Ok(Self {
            client,
            endpoint: endpoint.to_owned(),
            authorization: authorization(credentials).await?,
            timeout: config.timeout,
        })
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Where an object is; the root is the empty name.
    pub fn address(&self, name: &str) -> String {
        let segments: Vec<String> = name
            .split('/')
            .map(|segment| utf8_percent_encode(segment, SEGMENT).to_string())
            .collect();
        format!("{}/{}", self.endpoint, segments.join("/"))
    }

    pub fn request(&self, method: Method, name: &str) -> RequestBuilder {
        let request = self
            .client
            .request(method, self.address(name))
            // An encoded body has another length than the object.
            .header(ACCEPT_ENCODING, "identity");
        match &self.authorization {
            Some(value) => request.header(AUTHORIZATION, value.clone()),
            None => request,
        }
    }

    /// Sends a request; any status is an answer.
    pub async fn send(&self, action: Action, name: &str, request: RequestBuilder) -> Result<Response, Failure> {
        match tokio::time::timeout(self.timeout, request.send()).await {
            Ok(answer) => answer.map_err(|error| error::unanswered(action, name, &error)),
            Err(_) => Err(meaning::failure(action, name, meaning::TIMEOUT, "")),
        }
    }

    /// What a server tells about an object without its bytes.
    pub async fn head(&self, action: Action, name: &str) -> Result<Option<ObjectInfo>, Failure> {
        let response = self.send(action, name, self.request(Method::HEAD, name)).await?;
        match response.status() {
            StatusCode::OK => info(action, name, response.headers(), length(response.headers())).map(Some),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            _ => Err(error::refused(action, name, &response)),
        }
    }

    pub async fn read(&self, name: &str, range: Option<Range<u64>>) -> Result<(ObjectInfo, ByteStream), Failure> {
        let mut request = self.request(Method::GET, name);
        if let Some(range) = &range {
            request = request.header(RANGE, format!("bytes={}-{}", range.start, range.end - 1));
        }
        let response = self.send(Action::Read, name, request).await?;
        let headers = response.headers();
        let size = match (response.status(), &range) {
            (StatusCode::OK, None) => length(headers),
            (StatusCode::PARTIAL_CONTENT, Some(range)) => {
                let (sent, size) = content_range(headers).ok_or_else(|| no_range(name))?;
                if sent.start != range.start {
                    return Err(no_range(name));
                }
                if sent.end != range.end {
                    return Err(exact::too_short(name, sent.end, range.end));
                }
                Some(size)
            }
            (StatusCode::OK, Some(_)) => return Err(no_range(name)),
            _ => return Err(error::refused(Action::Read, name, &response)),
        };
        let info = info(Action::Read, name, headers, size)?;
        let expected = range.map_or(info.size, |range| range.end - range.start);
        Ok((info, exact::exact(pieces(response, name.to_owned()), name, expected)))
    }
}

async fn authorization(credentials: &WebCredentials) -> Result<Option<HeaderValue>, Failure> {
    let text = match credentials {
        WebCredentials::None => return Ok(None),
        WebCredentials::Basic { user, password } => {
            let password = secrets::read(password).await?;
            let pair = format!("{user}:{}", password.reveal());
            format!("Basic {}", BASE64_STANDARD.encode(pair))
        }
        WebCredentials::Bearer(token) => format!("Bearer {}", secrets::read(token).await?.reveal()),
    };
    let mut value = HeaderValue::try_from(text).map_err(|_| {
        Failure::permanent(
            "connection.configuration",
            "`bearer_token` holds characters that no header can carry; check it",
        )
    })?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// An answer's body as it comes.
fn pieces(response: Response, name: String) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'static {
    futures::stream::unfold(Some((response, name)), |state| async move {
        let (mut response, name) = state?;
        match response.chunk().await {
            Ok(Some(bytes)) => Some((Ok(bytes), Some((response, name)))),
            Ok(None) => None,
            Err(error) => Some((Err(error::unanswered(Action::Read, &name, &error)), None)),
        }
    })
}

fn info(action: Action, name: &str, headers: &HeaderMap, size: Option<u64>) -> Result<ObjectInfo, Failure> {
    let text = |header| headers.get(header)?.to_str().ok().map(str::to_owned);
    let Some(size) = size else {
        let told = "the server does not tell its length, without which a copy cannot be known to be whole";
        return Err(meaning::failure(action, name, REFUSED, told));
    };
    Ok(ObjectInfo {
        name: name.to_owned(),
        size,
        etag: text(ETAG),
        modified: text(LAST_MODIFIED).and_then(|date| timestamp(&date)),
        metadata: ObjectMetadata {
            content_type: text(CONTENT_TYPE),
            content_encoding: text(CONTENT_ENCODING),
            content_disposition: text(CONTENT_DISPOSITION),
            cache_control: text(CACHE_CONTROL),
            ..ObjectMetadata::default()
        },
    })
}

/// A date as HTTP writes it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn timestamp(date: &str) -> Option<Timestamp> {
    let timestamp = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date).ok()?;
    Some(Timestamp(timestamp.as_millisecond()))
}

/// From the header itself: of an answer to HEAD the client only knows that no body comes.
fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// `bytes 100-199/1000`: what is sent, and the size of the whole.
fn content_range(headers: &HeaderMap) -> Option<(Range<u64>, u64)> {
    let text = headers.get(CONTENT_RANGE)?.to_str().ok()?.strip_prefix("bytes ")?;
    let (sent, size) = text.split_once('/')?;
    let (first, last) = sent.split_once('-')?;
    let last: u64 = last.parse().ok()?;
    Some((first.parse().ok()?..last.checked_add(1)?, size.parse().ok()?))
}

fn no_range(name: &str) -> Failure {
    meaning::failure(Action::Read, name, REFUSED, "the server does not send a part of it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_ranges_are_read_as_http_writes_them() {
        let date = timestamp("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        assert_eq!(date.to_string(), "1994-11-06T08:49:37.000Z");
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_RANGE, HeaderValue::from_static("bytes 100-199/1000"));
        assert_eq!(content_range(&headers), Some((100..200, 1000)));
        headers.insert(CONTENT_RANGE, HeaderValue::from_static("bytes */1000"));
        assert_eq!(content_range(&headers), None);
        headers.insert(
            CONTENT_RANGE,
            HeaderValue::from_static("bytes 0-18446744073709551615/1"),
        );
        assert_eq!(content_range(&headers), None);
    }
}
