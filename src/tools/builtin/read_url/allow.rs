//! Which hosts may be read, and which addresses their names may lead to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// Hosts that may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tools) struct AllowList(Vec<Entry>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// As a URL has it: in lower case, IPv6 in brackets.
    host: String,
    /// Whether it is the hosts below `host` instead.
    below: bool,
    /// The port; none: the scheme's own.
    port: Option<u16>,
}

impl AllowList {
    /// Reads the entries of the configuration.
    ///
    /// # Errors
    /// Which entry is none, and what one looks like.
    pub(in crate::tools) fn parse(entries: &[String]) -> Result<Self, String> {
        let read = |text: &String| {
            Entry::parse(text).ok_or_else(|| {
                format!("`{text}` is no host; one looks like example.com, *.example.com or 127.0.0.1:8080")
            })
        };
        entries.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// Checks that a URL may be read.
    ///
    /// # Errors
    /// Why not, and what may be.
    pub(super) fn check(&self, url: &Url) -> Result<(), String> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("only http and https can be read, not {}", url.scheme()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a URL with a user's name or a password is not read".to_owned());
        }
        let host = url.host_str().unwrap_or_default();
        if self.0.iter().any(|entry| entry.covers(host, url)) {
            return Ok(());
        }
        let place = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Err(format!("`{place}` may not be read; what may be: {}", self.told()))
    }

    /// Whether a name may lead to an address: one of the public network, or one that is listed itself.
    pub(super) fn may_reach(&self, address: IpAddr) -> bool {
        is_public(address) || self.0.iter().any(|entry| !entry.below && entry.address() == Some(address))
    }

    /// The entries, for a model to read.
    pub(super) fn told(&self) -> String {
        let told: Vec<_> = self
            .0
            .iter()
            .map(|Entry { host, below, port }| {
                let below = if *below { "*." } else { "" };
                port.map_or_else(|| format!("{below}{host}"), |port| format!("{below}{host}:{port}"))
            })
            .collect();
        told.join(", ")
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        let (below, rest) = text.strip_prefix("*.").map_or((false, text), |rest| (true, rest));
        if rest.is_empty() || rest.contains(['/', '\\', '?', '#', '@', '*']) || rest.trim() != rest {
            return None;
        }
        let url = Url::parse(&format!("http://{rest}/")).ok()?;
        let host = url.host_str()?.to_owned();
        let entry = Self { host, below, port: url.port() };
        (!below || entry.address().is_none()).then_some(entry)
    }

    fn covers(&self, host: &str, url: &Url) -> bool {
        let is_host = if self.below {
            host.strip_suffix(&self.host).is_some_and(|name| name.len() > 1 && name.ends_with('.'))
        } else {
            host == self.host
        };
        // A URL names its port only where that is not the scheme's own.
        is_host && self.port.map_or(url.port().is_none(), |port| url.port_or_known_default() == Some(port))
    }

    fn address(&self) -> Option<IpAddr> {
        self.host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }
}

/// Whether an address belongs to the public network. The ranges are those that IANA keeps for a purpose.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let is_kept = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || first == 0
        || first >= 240
        || (first == 100 && (64..128).contains(&second))
        || (first, second, third) == (192, 0, 0)
        || (first == 198 && (18..20).contains(&second));
    !is_kept
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, third, .., before_last, last] = address.segments();
    let inner = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    match (first, second) {
        // Those that carry an address of version 4: NAT64 and 6to4.
        (0x64, 0xff9b) => third == 0 && inner(before_last, last),
        (0x2002, _) => inner(second, third),
        // Teredo and what stands beside it, and documentation.
        (0x2001, 0..0x200 | 0xdb8) => false,
        // Of all the rest only this has been given out.
        _ => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> AllowList {
        AllowList::parse(&entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_host_is_allowed_by_name_and_port() {
        let allow = list(&["Example.com", "*.docs.rs", "[::1]:8080", "bücher.example", "127.0.0.1:81"]);
        for (url, is_allowed) in [
            ("https://example.com/a?b#c", true),
            ("http://EXAMPLE.com:80/", true),
            ("http://example.com:443/", false),
            ("https://example.com:8443/", false),
            ("https://sub.example.com/", false),
            ("https://example.com.evil.org/", false),
            ("https://evilexample.com/", false),
            ("https://user@example.com/", false),
            ("https://a.docs.rs/", true),
            ("https://a.b.docs.rs/", true),
            ("https://docs.rs/", false),
            ("https://evildocs.rs/", false),
            ("http://[::1]:8080/", true),
            ("http://[::1]/", false),
            ("http://xn--bcher-kva.example/", true),
            ("http://127.0.0.1:81/", true),
            ("http://0x7f.1:81/", true),
            ("http://127.0.0.2:81/", false),
            ("ftp://example.com/", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(allow.check(&Url::parse(url).unwrap()).is_ok(), is_allowed, "{url}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for entry in
            ["", "*", "*.", "https://example.com", "a/b", "a b", "user@host", "*.127.0.0.1", "a:99999"]
        {
            let fault = AllowList::parse(&[entry.to_owned()]).unwrap_err();
            assert!(fault.contains("looks like"), "{entry}: {fault}");
        }
    }

    #[test]
    fn private_addresses_are_reached_only_where_they_are_listed() {
        let allow = list(&["localhost", "127.0.0.1:8080", "[::1]", "*.example.com"]);
        for (address, is_reached) in [
            ("8.8.8.8", true),
            ("2606:4700::1111", true),
            ("::ffff:8.8.8.8", true),
            ("127.0.0.1", true),
            ("::1", true),
            ("127.0.0.2", false),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::ffff:10.0.0.1", false),
            ("64:ff9b::a00:1", false),
            ("2002:a00:1::", false),
            ("fd00::1", false),
            ("fe80::1", false),
            ("2001:db8::1", false),
            ("::", false),
        ] {
            assert_eq!(allow.may_reach(address.parse().unwrap()), is_reached, "{address}");
        }
    }
}
