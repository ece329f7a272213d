//! Networks of `@ipMatch`.

use crate::suggest::quoted;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Addresses and networks, between which stands a comma.
pub(crate) fn networks(argument: &str) -> Result<Arc<[(IpAddr, u8)]>, String> {
    let found: Arc<[_]> = argument
        .split(',')
        .map(str::trim_ascii)
        .filter(|text| !text.is_empty())
        .map(network)
        .collect::<Result<_, _>>()?;
    if found.is_empty() {
        Err("no addresses; expected a list as 192.0.2.1, 2001:db8::/32".into())
    } else {
        Ok(found)
    }
}

/// Those of a file: one or more a line; what follows `#` is a comment.
pub(crate) fn networks_of_file(name: &str, text: &[u8]) -> Result<Arc<[(IpAddr, u8)]>, String> {
    let text = std::str::from_utf8(text).map_err(|_| format!("{name} is not UTF-8; expected addresses"))?;
    let mut found = Vec::new();
    for (line, number) in text.lines().zip(1_u32..) {
        let line = line.split('#').next().unwrap_or_default();
        for text in line.split(|c: char| c == ',' || c.is_ascii_whitespace()).filter(|text| !text.is_empty())
        {
            found.push(network(text).map_err(|error| format!("{name}:{number}: {error}"))?);
        }
    }
    Ok(found.into())
}

/// `192.0.2.7` or `192.0.2.0/24`; bits behind the prefix are taken as zero.
fn network(text: &str) -> Result<(IpAddr, u8), String> {
    let wrong = || {
        format!("{} is no address; expected one as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32", quoted(text))
    };
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u8>().map_err(|_| wrong())?)),
        None => (text, None),
    };
    let address: IpAddr = address.trim_ascii().parse().map_err(|_| wrong())?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.unwrap_or(bits);
    if prefix > bits {
        return Err(wrong());
    }
    let free = u32::from(bits - prefix);
    let address = match address {
        IpAddr::V4(address) => {
            Ipv4Addr::from_bits(address.to_bits() & u32::MAX.checked_shl(free).unwrap_or(0)).into()
        }
        IpAddr::V6(address) => {
            Ipv6Addr::from_bits(address.to_bits() & u128::MAX.checked_shl(free).unwrap_or(0)).into()
        }
    };
    Ok((address, prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_read_and_stray_bits_cleared() {
        let found = networks("192.0.2.9, 10.1.2.3/8,::1,2001:db8::5/32,0.0.0.0/0").unwrap();
        let shown: Vec<_> = found.iter().map(|(address, prefix)| format!("{address}/{prefix}")).collect();
        assert_eq!(shown, ["192.0.2.9/32", "10.0.0.0/8", "::1/128", "2001:db8::/32", "0.0.0.0/0"]);
    }

    #[test]
    fn what_is_no_address_is_told() {
        for wrong in ["", "1.2.3", "1.2.3.4/33", "::/129", "host", "1.2.3.4/255.0.0.0"] {
            assert!(networks(wrong).is_err(), "{wrong}");
        }
        let error = networks_of_file("f", b"# x\n10.0.0.0/8 # y\nbad\n").unwrap_err();
        assert!(error.starts_with("f:3: "), "{error}");
    }
}
