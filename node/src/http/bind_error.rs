//! Why the web server did not start, in words for whoever starts it.

use super::tls::WebKeyError;
use std::{io, net::SocketAddr, path::PathBuf};

/// Why a listener could not be opened. Nothing is served when one of them fails.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another process already answers on the local socket.
    #[error(
        "Another program answers on {0}: it was left alone and this one did not start. Stop the running yishi-node first."
    )]
    SocketInUse(PathBuf),
    /// Something that is no socket has its name.
    #[error("{0} exists and is not a socket: it was not touched. Move it away, then start again.")]
    SocketOccupied(PathBuf),
    /// The system's limit on the length of socket paths.
    #[error(
        "The path {0} is longer than the system allows for a socket (107 bytes). Put the data directory at a shorter path."
    )]
    SocketPathTooLong(PathBuf),
    /// The file system refused.
    #[error(
        "The local socket {0} could not be made ({1}). Check that the data directory belongs to the user yishi-node runs as."
    )]
    Socket(PathBuf, #[source] io::Error),
    /// Plain HTTP was to leave this machine.
    #[error(
        "{0} is not a loopback address: plain HTTP would send passwords readable over the network. Use tls_listen there, or set http.plain_beyond_loopback = true behind a proxy that encrypts."
    )]
    NotLoopback(SocketAddr),
    /// The port is taken.
    #[error("Another program already listens on {0}. Stop it or choose another port, then start again.")]
    PortTaken(SocketAddr),
    /// The port needs rights this process has not.
    #[error(
        "This user may not listen on {0}: ports below 1024 need a right of their own. Choose a port from 1024 up, or grant CAP_NET_BIND_SERVICE."
    )]
    PortForbidden(SocketAddr),
    /// The address is not one of this machine's.
    #[error("{0} is not an address of this machine. Check the listen address in the configuration.")]
    NoSuchAddress(SocketAddr),
    /// The system refused for another reason.
    #[error("Listening on {0} failed: {1}.")]
    Listen(SocketAddr, #[source] io::Error),
    /// The key of the HTTPS listener.
    #[error(transparent)]
    WebKey(#[from] WebKeyError),
}

impl BindError {
    /// The error of `bind(2)` on `address`, told apart.
    pub(super) fn listening(address: SocketAddr, e: io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::AddrInUse => Self::PortTaken(address),
            io::ErrorKind::PermissionDenied => Self::PortForbidden(address),
            io::ErrorKind::AddrNotAvailable => Self::NoSuchAddress(address),
            _ => Self::Listen(address, e),
        }
    }

    /// The message in Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::SocketInUse(path) => format!(
                "{} 正由另一个程序使用，没有动它，本程序没有启动。请先停止正在运行的 yishi-node。",
                path.display()
            ),
            Self::SocketOccupied(path) => {
                format!("{} 已存在且不是套接字，没有动它。请移走后重新启动。", path.display())
            }
            Self::SocketPathTooLong(path) => {
                format!(
                    "路径 {} 超过系统对套接字的长度限制（107 字节）。请把数据目录放到较短的路径。",
                    path.display()
                )
            }
            Self::Socket(path, e) => {
                format!(
                    "无法建立本地套接字 {}（{e}）。请检查数据目录是否属于运行 yishi-node 的用户。",
                    path.display()
                )
            }
            Self::NotLoopback(a) => format!(
                "{a} 不是本机回环地址，明文 HTTP 会让密码在网络上被看到。请在该地址用 tls_listen；如前面有加密的代理，可设 http.plain_beyond_loopback = true。"
            ),
            Self::PortTaken(a) => format!("{a} 已被另一个程序占用。请停止那个程序或换一个端口，再启动。"),
            Self::PortForbidden(a) => format!(
                "当前用户无权监听 {a}：1024 以下的端口需要专门授权。请改用 1024 及以上端口，或授予 CAP_NET_BIND_SERVICE。"
            ),
            Self::NoSuchAddress(a) => format!("{a} 不是本机的地址。请检查配置中的监听地址。"),
            Self::Listen(a, e) => format!("监听 {a} 没有成功：{e}。"),
            Self::WebKey(e) => e.zh(),
        }
    }
}
