//! An address as people may be shown it.

/// An address without what a key could be in: whoever is named in front of the host, and what stands
/// behind a `?` or `#`.
pub fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or_default();
    let gap = if scheme.is_empty() { "" } else { "://" };
    format!("{scheme}{gap}{host}/{path}").trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_in_what_is_shown() {
        for (url, is) in [
            ("https://example.org/v1/", "https://example.org/v1"),
            ("https://me:sesame@example.org", "https://example.org"),
            ("https://a@sesame@example.org/v1", "https://example.org/v1"),
            ("https://example.org/v1?key=sesame", "https://example.org/v1"),
            ("https://example.org?key=sesame/x", "https://example.org"),
            ("https://example.org/#sesame", "https://example.org"),
            ("me:sesame@example.org", "example.org"),
            ("", ""),
        ] {
            assert_eq!(shown(url), is, "{url}");
        }
    }
}
