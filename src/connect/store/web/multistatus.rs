use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::super::walk::Entry;
use super::super::{ObjectInfo, ObjectMetadata};
use super::client::timestamp;

/// The properties that are asked for: fewer make a shorter answer.
pub(super) const QUESTION: &str = r#"<?xml version="1.0" encoding="utf-8"?><D:propfind xmlns:D="DAV:"><D:prop><D:resourcetype/><D:getcontentlength/><D:getlastmodified/><D:getetag/><D:getcontenttype/></D:prop></D:propfind>"#;

/// An answer to PROPFIND (RFC 4918, 14.16).
#[derive(Debug, Deserialize)]
struct Multistatus {
    #[serde(default)]
    response: Vec<ResourceResponse>,
}

#[derive(Debug, Deserialize)]
struct ResourceResponse {
    href: String,
    #[serde(default)]
    propstat: Vec<Propstat>,
}

#[derive(Debug, Deserialize)]
struct Propstat {
    #[serde(default)]
    prop: Properties,
    status: String,
}

#[derive(Debug, Default, Deserialize)]
struct Properties {
    resourcetype: Option<ResourceType>,
    getcontentlength: Option<String>,
    getlastmodified: Option<String>,
    getetag: Option<String>,
    getcontenttype: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ResourceType {
    collection: Option<Empty>,
}

#[derive(Debug, Deserialize)]
struct Empty {}

/// The entries of an answer, named from `base`, the decoded path of the connection's address; what lies elsewhere is left out. Why the
/// answer cannot be used, otherwise.
pub(super) fn entries(xml: &str, base: &str) -> Result<Vec<Entry>, String> {
    let answer: Multistatus = quick_xml::de::from_str(xml).map_err(|error| error.to_string())?;
    let mut entries = Vec::new();
    for response in answer.response {
        let is_whole = |status: &str| status.split(' ').nth(1) == Some("200");
        let Some(found) = response.propstat.into_iter().find(|part| is_whole(&part.status)) else {
            continue;
        };
        let Some(name) = name(&response.href, base) else {
            continue;
        };
        entries.push(match name {
            Ok(name) => entry(name, found.prop)?,
            Err(shown) => Entry::Unreadable(shown),
        });
    }
    Ok(entries)
}

/// The name that an address stands for; as far as it can be shown where it is not Unicode text. The address may be a whole one.
fn name(href: &str, base: &str) -> Option<Result<String, String>> {
    let href = href.trim();
    let path = match href.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => href,
    };
    let decoded = percent_decode_str(path);
    let Ok(path) = decoded.clone().decode_utf8() else {
        return Some(Err(decoded.decode_utf8_lossy().into_owned()));
    };
    let name = path.strip_prefix(base)?;
    if name.is_empty() {
        return Some(Ok(String::new()));
    }
    Some(Ok(name.strip_prefix('/')?.to_owned()))
}

fn entry(name: String, properties: Properties) -> Result<Entry, String> {
    let is_folder = properties.resourcetype.is_some_and(|kind| kind.collection.is_some());
    if is_folder {
        let name = name.trim_end_matches('/');
        return Ok(Entry::Folder(format!("{name}/")));
    }
    let size = properties.getcontentlength.as_deref().map(str::trim).map(str::parse);
    let Some(Ok(size)) = size else {
        return Err(format!("`{name}` has no length"));
    };
    let text = |value: Option<String>| value.filter(|value| !value.is_empty());
    Ok(Entry::Object(ObjectInfo {
        size,
        etag: text(properties.getetag).map(quoted),
        modified: properties.getlastmodified.as_deref().and_then(timestamp),
        metadata: ObjectMetadata {
            content_type: text(properties.getcontenttype),
            ..ObjectMetadata::default()
        },
        name,
    }))
}

/// Some servers leave out the quotes that the header has.
fn quoted(etag: String) -> String {
    if etag.ends_with('"') {
        etag
    } else {
        format!("\"{etag}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_addresses_of_any_form() {
        let tell = |href, base| name(href, base).map(|name| name.unwrap());
        assert_eq!(tell("/dav/a%20b/c", "/dav").as_deref(), Some("a b/c"));
        assert_eq!(tell("http://host:1/dav/x", "/dav").as_deref(), Some("x"));
        assert_eq!(tell("/dav/", "/dav").as_deref(), Some(""));
        assert_eq!(tell("/x%2541", "").as_deref(), Some("x%41"));
        assert_eq!(tell("/davos/x", "/dav"), None);
        assert_eq!(tell("/other", "/dav"), None);
        assert_eq!(name("/dav/odd%ff", "/dav").unwrap().unwrap_err(), "/dav/odd\u{fffd}");
    }

    #[test]
    fn an_answer_with_any_prefix_and_with_missing_properties_is_read() {
        let xml = r#"<?xml version="1.0"?><x:multistatus xmlns:x="DAV:">
            <x:response><x:href>/f/</x:href><x:propstat><x:prop><x:resourcetype><x:collection/></x:resourcetype></x:prop>
              <x:status>HTTP/1.1 200 OK</x:status></x:propstat>
              <x:propstat><x:prop><x:getcontentlength/></x:prop><x:status>HTTP/1.1 404 Not Found</x:status></x:propstat></x:response>
            <x:response><x:href>/f/a.bin</x:href><x:propstat><x:prop><x:resourcetype/><x:getcontentlength>12</x:getcontentlength>
              <x:getetag>"e&amp;1"</x:getetag></x:prop><x:status>HTTP/1.1 200 OK</x:status></x:propstat></x:response>
            </x:multistatus>"#;
        let entries = entries(xml, "").unwrap();
        assert!(matches!(&entries[0], Entry::Folder(name) if name == "f/"));
        let Entry::Object(info) = &entries[1] else {
            panic!("no object")
        };
        assert_eq!((info.name.as_str(), info.size), ("f/a.bin", 12));
        assert_eq!(info.etag.as_deref(), Some("\"e&1\""));
        assert!(super::entries("<html>", "").is_err());
    }
}
