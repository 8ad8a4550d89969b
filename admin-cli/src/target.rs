//! Where the node is and with what right one speaks to it: a Unix socket, or HTTPS with a pinned key.
//!
//! The right to open the socket is the right to administer; over the network it is a token, and the node is
//! known by its key alone. A token never goes out before that key has been checked.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::both;
use crate::trouble::Trouble;
use crate::words::Both;

/// The sockets looked for when none is named: a trial in the current folder, then the installed service.
pub const DEFAULT_SOCKETS: [&str; 2] = ["./yishi-data/api.sock", "/var/lib/yishi/api.sock"];

/// A token for programs. Its value is shown to nobody, also not in debugging output.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The value, for the one header it belongs in.
    pub(crate) fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Token(…)")
    }
}

impl Token {
    /// The token in a text, if it is one.
    pub fn checked(&self) -> Result<Self, Both> {
        let text = self.0.trim();
        if text.is_empty() || !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err(both!(
                "令牌是一行字母和数字，形如 yst_…，请核对。什么都没有改动。",
                "a token is one line of letters and digits like yst_…; check it. Nothing was changed."
            ));
        }
        Ok(Token(text.to_owned()))
    }
}

/// Takes any text: what `clap` refuses it prints, and a mistyped secret is still one. See [`Token::checked`].
impl From<&str> for Token {
    fn from(text: &str) -> Self {
        Token(text.to_owned())
    }
}

/// SHA-256 of the SubjectPublicKeyInfo of the node's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pin(pub [u8; 32]);

impl FromStr for Pin {
    type Err = Both;

    fn from_str(text: &str) -> Result<Self, Both> {
        let wrong = || {
            both!(
                "--pin 要写 64 位十六进制数，用 yishi-node doctor 查看（web_pin）",
                "--pin wants 64 hexadecimal digits; yishi-node doctor shows them (web_pin)"
            )
        };
        let text = text.trim();
        let digits: Vec<u32> = text
            .strip_prefix("sha256:")
            .unwrap_or(text)
            .chars()
            .filter(|c| !matches!(c, ':' | ' '))
            .map(|c| c.to_digit(16))
            .collect::<Option<_>>()
            .ok_or_else(wrong)?;
        let bytes: Vec<u8> = digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0u8, |byte, digit| byte << 4 | u8::try_from(*digit).unwrap_or(0)))
            .collect();
        if digits.len() != 64 {
            return Err(wrong());
        }
        bytes.try_into().map(Pin).map_err(|_| wrong())
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

/// Where to speak to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The node on this machine.
    Socket(PathBuf),
    /// A node elsewhere.
    Https {
        /// Name or address.
        host: String,
        /// TCP port.
        port: u16,
        /// The key it must show.
        pin: Pin,
    },
}

impl Target {
    /// Reads `--node` (or finds the default socket) and `--pin`.
    pub fn find(node: Option<&str>, pin: Option<Pin>) -> Result<Self, Trouble> {
        let Some(node) = node.map(str::trim).filter(|node| !node.is_empty()) else {
            let found = DEFAULT_SOCKETS.iter().find(|path| Path::new(path).exists());
            // Where there is neither, the error names the place an installed service would have it.
            return Ok(Target::Socket(found.unwrap_or(&DEFAULT_SOCKETS[1]).into()));
        };
        if node.starts_with("http://") {
            return Err(Trouble::Usage(both!(
                "不能用 http:// 连接：令牌会明文传出。请用 https://主机:端口 并加 --pin，或用本机的 api.sock。",
                "http:// is not used: the token would travel in the clear. Use https://HOST:PORT with --pin, or the local api.sock."
            )));
        }
        let Some(rest) = node.strip_prefix("https://") else {
            return Ok(Target::Socket(node.strip_prefix("unix:").unwrap_or(node).into()));
        };
        let wrong = || {
            Trouble::Usage(both!(
                "地址「{node}」不对，要写成 https://主机:端口",
                "“{node}” is not an address; write https://HOST:PORT"
            ))
        };
        let uri: hyper::Uri =
            format!("https://{}", rest.trim_end_matches('/')).parse().map_err(|_| wrong())?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong());
        }
        let host = uri.host().ok_or_else(wrong)?.trim_matches(['[', ']']).to_owned();
        let Some(pin) = pin else {
            return Err(Trouble::Usage(both!(
                "用 https:// 连接时要加 --pin（或设 YISHI_PIN），以确认对方身份。在那台机器上运行 yishi-node doctor 可以看到。",
                "https:// needs --pin (or YISHI_PIN), so that the other side is known. Run yishi-node doctor on that machine to see it."
            )));
        };
        Ok(Target::Https { host, port: uri.port_u16().unwrap_or(443), pin })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Socket(path) => write!(out, "{}", path.display()),
            Target::Https { host, port, .. } if host.contains(':') => write!(out, "https://[{host}]:{port}"),
            Target::Https { host, port, .. } => write!(out, "https://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin() -> Pin {
        Pin([0xab; 32])
    }

    #[test]
    fn a_token_is_not_printed() {
        let token = Token::from(" yst_secret\n").checked().unwrap();
        assert_eq!(token.secret(), "yst_secret");
        assert!(!format!("{token:?}").contains("secret"));
        assert!(Token::from("两 行").checked().is_err());
        assert!(Token::from("").checked().is_err());
    }

    #[test]
    fn pins_are_read_as_people_copy_them() {
        let hex = pin().to_string();
        assert_eq!(hex.parse::<Pin>().unwrap(), pin());
        assert_eq!(format!("sha256:{}", hex.to_uppercase()).parse::<Pin>().unwrap(), pin());
        assert_eq!(["ab"; 32].join(":").parse::<Pin>().unwrap(), pin());
        assert!("ab".parse::<Pin>().is_err());
        assert!(format!("{hex}a").parse::<Pin>().is_err());
        assert!("zz".repeat(32).parse::<Pin>().is_err());
    }

    #[test]
    fn targets() {
        let find = |node: &str, pin| Target::find(Some(node), pin);
        assert_eq!(find("a/api.sock", None).unwrap(), Target::Socket("a/api.sock".into()));
        assert_eq!(find("unix:/a.sock", None).unwrap(), Target::Socket("/a.sock".into()));
        assert_eq!(find("https://h:8443/", Some(pin())).unwrap().to_string(), "https://h:8443");
        assert_eq!(find("https://[::1]:8443", Some(pin())).unwrap().to_string(), "https://[::1]:8443");
        assert_eq!(find("https://h", Some(pin())).unwrap().to_string(), "https://h:443");
        for (node, given) in [
            ("https://h:8443", None),
            ("http://h", Some(pin())),
            ("https://h/x", Some(pin())),
            ("https://", Some(pin())),
        ] {
            assert!(matches!(find(node, given), Err(Trouble::Usage(_))), "{node}");
        }
    }
}
