//! A company's proxy.

mod connect;
mod tinyproxy;

pub use connect::{NamingProxy, ProxyRequest};
pub use tinyproxy::Tinyproxy;
