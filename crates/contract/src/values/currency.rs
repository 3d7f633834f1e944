//! Currencies and their minor units (ISO 4217, list one, as of January 2026).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The codes in use by the number of their decimals. Left out are metals, funds, units of account, test codes and
/// what was withdrawn.
const TABLE: [(&str, u8); 3] = [(TWO, 2), (NONE, 0), (THREE, 3)];

const NONE: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF";

const TWO: &str = "\
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF \
    CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL \
    HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT \
    MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB \
    SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH \
    USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";

const THREE: &str = "BHD IQD JOD KWD LYD OMR TND";

/// A currency by its ISO 4217 code. Prices of different currencies are never added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// US dollars, the currency where none is named.
    pub const USD: Self = Self(*b"USD");

    /// How many decimals its minor units are: none, two or three. Two for a code that is no currency in use: amounts
    /// of such were stored as hundredths.
    #[must_use]
    pub fn decimals(self) -> u8 {
        self.known_decimals().unwrap_or(2)
    }

    /// Whether ISO 4217 lists it as money: no metal, no test code, no unit of account, and not withdrawn.
    #[must_use]
    pub fn is_money(self) -> bool {
        self.known_decimals().is_some()
    }

    fn known_decimals(self) -> Option<u8> {
        if self == Self::USD {
            return Some(2);
        }
        let of = |(codes, decimals): &(&str, u8)| {
            codes.as_bytes().chunks(4).any(|code| code.starts_with(&self.0)).then_some(*decimals)
        };
        TABLE.iter().find_map(of)
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }
}

impl Default for Currency {
    fn default() -> Self {
        Self::USD
    }
}

/// The text is not three capital letters. Whether they name money is decided where a price is set: what is stored
/// and read may be older than the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a currency is three capital letters such as USD")]
pub struct NotACurrency;

impl FromStr for Currency {
    type Err = NotACurrency;

    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(letters) if letters.iter().all(u8::is_ascii_uppercase) => Ok(Self(letters)),
            _ => Err(NotACurrency),
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_units_are_those_of_iso_4217() {
        let currency = |code: &str| code.parse::<Currency>().expect("a code");
        for (code, decimals) in
            [("USD", 2), ("EUR", 2), ("ZWG", 2), ("JPY", 0), ("XPF", 0), ("KWD", 3), ("TND", 3)]
        {
            assert_eq!((currency(code).is_money(), currency(code).decimals()), (true, decimals), "{code}");
        }
        for code in
            ["XXX", "XTS", "XAU", "XAG", "XDR", "CLF", "CHE", "USN", "ANG", "HRK", "AAA", "SDU", "DKK"]
        {
            assert_eq!(currency(code).is_money(), code == "DKK", "{code}");
        }
        let mut codes: Vec<_> = TABLE.iter().flat_map(|(codes, _)| codes.split(' ')).collect();
        assert!(codes.iter().all(|code| code.len() == 3));
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!((count, codes.len()), (155, 155));
    }

    #[test]
    fn a_code_is_three_capital_letters() {
        for wrong in ["", "US", "USDX", "usd", "U1D", "\u{20ac}"] {
            assert_eq!(wrong.parse::<Currency>(), Err(NotACurrency), "{wrong}");
        }
    }

    #[test]
    fn a_code_is_written_as_it_is() {
        for code in ["USD", "EUR", "JPY", "XXX"] {
            let currency: Currency = code.parse().expect("a code");
            let json = format!("\"{code}\"");
            assert_eq!((currency.as_str(), currency.to_string().as_str()), (code, code));
            assert_eq!(serde_json::to_string(&currency).expect("serializes"), json);
            assert_eq!(serde_json::from_str::<Currency>(&json).expect("a code"), currency);
        }
        assert!(serde_json::from_str::<Currency>("\"usd\"").is_err());
    }
}
