//! OpenTelemetry's own ports, beside the paths on the server's main one.

use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use super::{Fault, ServerConfig, at_least};
use crate::otlp::OtlpLimits;

/// Where OpenTelemetry is listened to, and what a sender may send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OtlpConfig {
    /// OTLP over HTTP: an address and port, or `off`. The paths are on the main port too. Where another
    /// program has the standard port, the server goes without.
    pub http: Port,
    /// OTLP over gRPC: an address and port, or `off`. Where another program has the standard port, the
    /// server goes without.
    pub grpc: Port,
    /// What a sender may send.
    pub limits: OtlpLimits,
}

impl Default for OtlpConfig {
    fn default() -> Self {
        Self { http: Port::standard(4318), grpc: Port::standard(4317), limits: OtlpLimits::default() }
    }
}

/// A port that may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Port {
    /// Where to listen; `None`: nowhere.
    pub address: Option<SocketAddr>,
    /// Whether it is what holds where nothing is said: then it may be missing.
    pub is_standard: bool,
}

impl Port {
    fn standard(port: u16) -> Self {
        Self { address: Some((Ipv4Addr::LOCALHOST, port).into()), is_standard: true }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => address.fmt(f),
            None => f.write_str("off"),
        }
    }
}

impl FromStr for Port {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self { address: None, is_standard: false });
        }
        let address = text.parse().map_err(|_| {
            format!("`{text}` is neither `off` nor an address and port, such as 127.0.0.1:4318")
        })?;
        let standard = [4317, 4318].map(Self::standard);
        Ok(Self {
            address: Some(address),
            is_standard: standard.iter().any(|port| port.address == Some(address)),
        })
    }
}

impl From<Port> for String {
    fn from(port: Port) -> Self {
        port.to_string()
    }
}

impl TryFrom<String> for Port {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl OtlpConfig {
    pub(super) fn check(&self, server: &ServerConfig) -> Result<(), Fault> {
        for (key, port) in [("otlp.http", self.http), ("otlp.grpc", self.grpc)] {
            if let Some(address) = port.address {
                server.check_reach(key, address)?;
            }
        }
        at_least("otlp.limits.body_bytes", self.limits.body_bytes, 1 << 10)?;
        at_least("otlp.limits.unpacked_bytes", self.limits.unpacked_bytes, self.limits.body_bytes)?;
        at_least("otlp.limits.bytes_at_once", self.limits.bytes_at_once, 1 << 20)
    }
}
