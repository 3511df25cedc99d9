//! What is sent in front of each request, from the environment.

use crate::fault::CollectorError;
use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, HeaderName};
use stoa_endpoint::Key;

/// `name=value,name=value`, where a value may be percent-encoded. Every value may be a key.
pub(crate) fn headers(variable: &str, text: &str) -> Result<HeaderMap, CollectorError> {
    let wrong = |why| CollectorError::Headers { variable: variable.to_owned(), why };
    let mut headers = HeaderMap::new();
    for pair in text.split(',').map(str::trim).filter(|it| !it.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| wrong("a part of it has no ="))?;
        let name: HeaderName = name.trim().parse().map_err(|_| wrong("a name is no header"))?;
        let value = percent_decode_str(value.trim()).decode_utf8();
        let key = Key::new(value.map_err(|_| wrong("a value is not UTF-8"))?.into_owned());
        let value = key.header("").map_err(|_| wrong("a value is empty, or no header"))?;
        headers.append(name, value);
    }
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::{CollectorError, headers as headers_of};

    #[test]
    fn headers_are_read_and_never_shown() {
        let headers = headers_of("H", "api-key=sesame, Authorization=Bearer%20open,").unwrap();
        assert_eq!(headers["api-key"].as_bytes(), b"sesame");
        assert_eq!(headers["authorization"].as_bytes(), b"Bearer open");
        assert!(!format!("{headers:?}").contains("sesame"));
        let none = headers_of("H", " , ").unwrap();
        assert!(none.is_empty());
        for (text, why) in [
            ("sesame", "a part of it has no ="),
            ("a b=sesame", "a name is no header"),
            ("=sesame", "a name is no header"),
            ("a=", "a value is empty, or no header"),
            ("a=%0Asesame", "a value is empty, or no header"),
            ("a=%FFsesame", "a value is not UTF-8"),
        ] {
            let error = headers_of("H", text).unwrap_err();
            assert_eq!(error, CollectorError::Headers { variable: "H".into(), why }, "{text}");
            assert!(!error.to_string().contains("sesame"), "{error}");
        }
    }
}
