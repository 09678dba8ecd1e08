use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

use crate::model::{ConnectionKind, EffectIntent, Failure, ObjectVersion, Row, UnitIntent, Value, redact};
use crate::plan::Offer;
use crate::resolve::{FileJob, RowsForm, Scope, Step, StepKind, Template, target_row};

/// A unit as its row describes it, before the sink is looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitDraft {
    /// The object's name at the source; without query string. What the row says, as far as it could be read, when it was refused.
    pub source: String,
    pub target: String,
    pub offer: Offer,
    /// Why it can never be tried as it is.
    pub refusal: Option<Failure>,
    /// What each step of the job owes for it, in the order of the spec.
    pub effects: Vec<EffectIntent>,
    /// Over the row, for the digest of the page.
    pub digest: [u8; 16],
}

impl UnitDraft {
    /// The intent's line about this unit.
    pub fn intent(&self, existed: bool) -> UnitIntent {
        UnitIntent {
            source: self.source.clone(),
            target: self.target.clone(),
            size: self.offer.size,
            existed,
            refusal: self.refusal.clone(),
            effects: if self.refusal.is_none() {
                self.effects.clone()
            } else {
                Vec::new()
            },
        }
    }
}

/// How the rows of a job become units: where their bytes are, what they are called, how large they are.
pub struct UnitNaming<'a> {
    path: &'a Template,
    object: &'a Template,
    size: Option<&'a Template>,
    /// The list is a listing: its own columns tell size and time.
    is_listing: bool,
    read_from: &'a ConnectionKind,
    read_from_name: &'a str,
    steps: &'a [Step],
}

impl<'a> UnitNaming<'a> {
    pub fn new(job: &'a FileJob) -> Self {
        let files = &job.work.source.files;
        Self {
            path: &files.read.path,
            object: &job.work.naming.object,
            size: files.size.as_ref(),
            is_listing: matches!(files.rows.form, RowsForm::Glob { .. }),
            read_from: &job.connection(&files.read.connection).kind,
            read_from_name: &files.read.connection,
            steps: &job.work.steps,
        }
    }

    /// Renders one row. Never fails: what cannot be rendered is a draft with its refusal.
    pub fn draft(&self, scope: &Scope<'_>, row: &Row) -> UnitDraft {
        let source = self.source(scope, row);
        let target = self.object.render_text(scope);
        let offer = self.offer(scope, row);
        let (source, source_failure) = split(source, || shown(row));
        let (target, target_failure) = split(target, String::new);
        let (offer, offer_failure) = split(offer, Offer::default);
        let (source, source_secret) = without_credential(source);
        let (target, target_secret) = without_credential(target);
        UnitDraft {
            source,
            offer,
            effects: self.effects(scope, &target),
            refusal: source_failure
                .or(target_failure)
                .or(offer_failure)
                .or(source_secret)
                .or(target_secret),
            target,
            digest: digest(row),
        }
    }

    fn source(&self, scope: &Scope<'_>, row: &Row) -> Result<String, Failure> {
        let rendered = self.path.render_text(scope)?;
        let uri = self.path.references().iter().find_map(|reference| {
            let row = if reference.prefix == "item" {
                scope.item
            } else {
                scope.file
            };
            row?.get(&reference.field)?.as_text().filter(|text| is_uri(text))
        });
        let Some(uri) = uri.or_else(|| Some(rendered.as_str()).filter(|text| is_uri(text))) else {
            return Ok(rendered);
        };
        self.check_host(uri, row)?;
        let path = if is_uri(&rendered) {
            uri_path(&rendered)?
        } else {
            rendered
        };
        match self.read_from.uri_prefix() {
            None => Ok(path),
            Some(prefix) => path.strip_prefix(&prefix).map(str::to_owned).ok_or_else(|| {
                Failure::data(
                    "source.other_container",
                    format!(
                        "the URI of `{path}` lies outside `{}` of connection `{}`",
                        prefix.trim_end_matches('/'),
                        self.read_from_name
                    ),
                )
            }),
        }
    }

    /// The bodies of the steps' messages, rendered while the row is at hand: no later run has to ask the list for it again.
    fn effects(&self, scope: &Scope<'_>, target: &str) -> Vec<EffectIntent> {
        if self.steps.is_empty() {
            return Vec::new();
        }
        let target = target_row(target);
        let scope = Scope {
            target: Some(&target),
            ..*scope
        };
        let rendered = self.steps.iter().map(|step| {
            let StepKind::Notify(notify) = &step.kind;
            let (body, refusal) = split(notify.body.render(&scope), String::new);
            let step = step.name.clone();
            EffectIntent { step, body, refusal }
        });
        rendered.collect()
    }

    /// Bytes are only ever asked of the connection that the spec names: a URI that leads elsewhere is refused, not followed.
    fn check_host(&self, uri: &str, row: &Row) -> Result<(), Failure> {
        let Some(expected) = self.read_from.host() else {
            return Ok(());
        };
        let host = authority(uri);
        if host.eq_ignore_ascii_case(&expected) {
            return Ok(());
        }
        let line = row.line.map(|line| format!(" (line {line})")).unwrap_or_default();
        Err(Failure::data(
            "source.other_host",
            format!(
                "the URI's host is `{host}`{line}, but connection `{}` is `{expected}`",
                self.read_from_name
            ),
        ))
    }

    fn offer(&self, scope: &Scope<'_>, row: &Row) -> Result<Offer, Failure> {
        let value = match self.size {
            Some(template) => template.render(scope)?,
            None if self.is_listing => row.get("size").cloned().unwrap_or_default(),
            None => Value::Null,
        };
        let size = match &value {
            Value::Null => None,
            Value::Integer(bytes) => Some(u64::try_from(*bytes).map_err(|_| bad_size(&value))?),
            other => {
                let text = other.to_string();
                let text = text.trim();
                if text.is_empty() {
                    None
                } else {
                    Some(text.parse().map_err(|_| bad_size(&value))?)
                }
            }
        };
        let version = match self.is_listing {
            true => listed_version(row),
            false => None,
        };
        Ok(Offer {
            size,
            modified: None,
            version,
        })
    }
}

/// A name that holds a credential, as `{{basename file.Uri}}` gives where the URI has a SAS, is refused, and goes into no record as it is.
///
/// Only names that look like URIs are asked about: a name such as `password=1.txt` is a name like any other.
fn without_credential(name: String) -> (String, Option<Failure>) {
    if !name.contains('?') && !name.contains("://") {
        return (name, None);
    }
    let redacted = redact(&name).into_owned();
    if redacted == name {
        return (name, None);
    }
    let failure = Failure::data(
        "name.credential",
        "the name holds a credential of a URI; take `{{url_path …}}` of the URI, which leaves it out",
    );
    (redacted, Some(failure))
}

/// The version of an object as its listing tells it, in the columns of a listing's row.
fn listed_version(row: &Row) -> Option<ObjectVersion> {
    let text = |column: &str| row.get(column).and_then(Value::as_text);
    let modified = text("modified").and_then(|time| time.parse().ok());
    ObjectVersion::of(text("etag"), modified)
}

fn bad_size(value: &Value) -> Failure {
    Failure::data("source.bad_size", format!("`{value}` is not a size in bytes"))
}

fn split<T>(result: Result<T, Failure>, otherwise: impl FnOnce() -> T) -> (T, Option<Failure>) {
    match result {
        Ok(value) => (value, None),
        Err(failure) => (otherwise(), Some(failure)),
    }
}

/// What names a row in the ledger when no source path could be rendered from it: its place, never its values.
fn shown(row: &Row) -> String {
    row.line
        .map_or_else(|| "(a row without a path)".to_owned(), |line| format!("(line {line})"))
}

fn digest(row: &Row) -> [u8; 16] {
    let mut hasher = Sha256::new();
    for value in &row.values {
        let text = value.to_string();
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text.as_bytes());
    }
    let mut digest = [0; 16];
    digest.copy_from_slice(&hasher.finalize()[..16]);
    digest
}

fn is_uri(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && !scheme.is_empty()
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
    })
}

/// Host and port of a URI, user information left out.
fn authority(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// The path of a URI without its leading slash, percent-decoded.
fn uri_path(uri: &str) -> Result<String, Failure> {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let rest = &rest[..rest.find(['?', '#']).unwrap_or(rest.len())];
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    percent_decode_str(path)
        .decode_utf8()
        .map(|decoded| decoded.into_owned())
        .map_err(|_| Failure::data("source.bad_uri", format!("`{path}` does not decode to UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_a_credential_is_refused_and_not_kept() {
        let (name, failure) = without_credential("a.bin?sv=1&sig=abc".to_owned());
        assert_eq!(name, "a.bin?sv=1&sig=[hidden]");
        assert_eq!(failure.unwrap().code, "name.credential");
        for name in ["what?.txt", "password=1.txt", "a/b.bin"] {
            assert_eq!(without_credential(name.to_owned()), (name.to_owned(), None));
        }
    }

    #[test]
    fn a_uri_is_taken_apart_without_its_secrets() {
        let uri = "https://user:pw@Acc.blob.example:443/box/a%20b/%C3%BC.bin?sig=x#y";
        assert!(is_uri(uri));
        assert_eq!(authority(uri), "Acc.blob.example:443");
        assert_eq!(uri_path(uri).unwrap(), "box/a b/ü.bin");
        assert_eq!(uri_path("https://host/%FF").unwrap_err().code, "source.bad_uri");
        assert!(!is_uri("a/b.bin"));
        assert!(!is_uri("://x"));
    }
}
