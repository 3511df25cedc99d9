//! An address, and a client that keeps to it.

use crate::error::AddressError;
use crate::key::{Key, Secret};
use reqwest::header::HeaderValue;
use reqwest::{Client, ClientBuilder, Url};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where somebody is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    url: Url,
}

impl Address {
    /// An address as it is configured, up to what is added to it. With a key it is `https` or this
    /// machine.
    ///
    /// Errors: [`AddressError`], which never has the key.
    pub fn new(base: &str, has_key: bool) -> Result<Address, AddressError> {
        let url = Url::parse(base.trim_end_matches('/'))
            .map_err(|error| AddressError::NoUrl(error.to_string()))?;
        let address = Address { url };
        let url = &address.url;
        match url.scheme() {
            "https" => {}
            "http" if address.is_here() || !has_key => {}
            "http" => return Err(AddressError::Plain),
            _ => return Err(AddressError::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressError::KeyInside);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(AddressError::Query);
        }
        Ok(address)
    }

    /// Whether it is on this machine.
    pub fn is_here(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || ip.is_ok_and(|it| it.is_loopback())
    }

    /// The host, with a port where it says one: `example.org`, `127.0.0.1:11434`.
    pub fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Its own path.
    pub fn path(&self) -> &str {
        self.url.path()
    }

    /// With a path behind it, which begins with a slash.
    pub fn with(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        url
    }

    /// A client for it: it follows no redirect, and `localhost` is this machine whatever a resolver
    /// says. A proxy of the environment is used with `https` alone, where it reads nothing.
    pub fn client(&self) -> ClientBuilder {
        let here = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let here = here.map(|it| SocketAddr::new(it, 0));
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .resolve_to_addrs("localhost", &here);
        match self.url.scheme() {
            "https" if !self.is_here() => client,
            _ => client.no_proxy(),
        }
    }
}

impl Key {
    /// As the value of a header, behind `before` (`Bearer `), which no trace shows.
    ///
    /// Errors: of the key.
    pub fn header(&self, before: &str) -> Result<HeaderValue, AddressError> {
        let secret = match self.secret() {
            Secret::Held("") => return Err(AddressError::KeyEmpty),
            Secret::Held(secret) => secret,
            Secret::Lacking(variable) => {
                return Err(AddressError::KeyLacking(variable.to_owned()));
            }
        };
        let value = HeaderValue::from_str(&format!("{before}{secret}"));
        let mut value = value.map_err(|_| AddressError::KeyNoHeader)?;
        value.set_sensitive(true);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_goes_to_this_machine_or_by_https() {
        for (url, with, without) in [
            ("https://example.org/v1", Ok(()), Ok(())),
            ("http://example.org", Err(AddressError::Plain), Ok(())),
            ("http://localhost:1", Ok(()), Ok(())),
            ("http://127.9.9.9/v1/", Ok(()), Ok(())),
            ("http://[::1]:8080", Ok(()), Ok(())),
            ("http://0.0.0.0", Err(AddressError::Plain), Ok(())),
            ("http://localhost.example.org", Err(AddressError::Plain), Ok(())),
            ("http://127.0.0.1.example.org", Err(AddressError::Plain), Ok(())),
            ("http://[::ffff:1.2.3.4]", Err(AddressError::Plain), Ok(())),
            ("ftp://example.org", Err(AddressError::Scheme), Err(AddressError::Scheme)),
            ("https://a:b@example.org", Err(AddressError::KeyInside), Err(AddressError::KeyInside)),
            ("https://example.org?a", Err(AddressError::Query), Err(AddressError::Query)),
            ("https://example.org#a", Err(AddressError::Query), Err(AddressError::Query)),
        ] {
            assert_eq!(Address::new(url, true).map(drop), with, "{url}");
            assert_eq!(Address::new(url, false).map(drop), without, "{url}");
        }
        assert!(matches!(Address::new("no url", false), Err(AddressError::NoUrl(_))));
    }

    #[test]
    fn a_path_is_added_behind_it() {
        let with = |base: &str| Address::new(base, false).unwrap().with("/v1/messages").to_string();
        assert_eq!(with("https://example.org"), "https://example.org/v1/messages");
        assert_eq!(with("https://example.org/"), "https://example.org/v1/messages");
        assert_eq!(with("https://example.org/a/"), "https://example.org/a/v1/messages");
    }

    #[test]
    fn a_key_is_a_header_that_is_not_shown() {
        let value = Key::new("sesame").header("Bearer ").unwrap();
        assert_eq!(value.as_bytes(), b"Bearer sesame");
        assert_eq!(format!("{value:?}"), "Sensitive");
        assert_eq!(Key::new("").header(""), Err(AddressError::KeyEmpty));
        assert_eq!(Key::new("a\nb").header(""), Err(AddressError::KeyNoHeader));
        assert_eq!(Key::lacking("KEY").header(""), Err(AddressError::KeyLacking("KEY".into())));
    }
}
