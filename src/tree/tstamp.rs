//! The TStamp property's text: UTC in ISO 8601 basic format, `20010711T163817Z`.

const DAY: i64 = 86_400;

/// `unix_s` (seconds since 1970-01-01 UTC) as text.
pub(super) fn text(unix_s: i64) -> String {
    let (days, second) = (unix_s.div_euclid(DAY), unix_s.rem_euclid(DAY));
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Gregorian date of a day counted from 1970-01-01, in years that begin on 1 March, so that the
/// leap day is the last of its year.
fn date(days: i64) -> (i64, i64, i64) {
    /// Days from 0000-03-01 to 1970-01-01.
    const EPOCH: i64 = 719_468;
    /// Days of 400 years.
    const ERA: i64 = 146_097;
    let days = days.saturating_add(EPOCH);
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn known_instants() {
        assert_eq!(text(0), "19700101T000000Z");
        assert_eq!(text(994_869_497), "20010711T163817Z");
        assert_eq!(text(951_782_400), "20000229T000000Z");
        assert_eq!(text(4_107_542_399), "21000228T235959Z");
        assert_eq!(text(-1), "19691231T235959Z");
    }
}
