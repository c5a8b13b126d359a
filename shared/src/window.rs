//! The spans budgets are counted in: hour, day, week, month, total, all in UTC.
//!
//! A charge belongs to the window its reservation was made in, whenever it is settled, so a window
//! has a name that can be stored and compared: `2026-10-05T13`, `2026-10-05`, `2026-W41`, `2026-10`,
//! `total`. Plain calendar arithmetic; days are counted from 1970-01-01 as POSIX does, without leap
//! seconds. Weeks are those of ISO 8601: they begin on Monday and belong to the year of their Thursday.

use crate::units::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

const HOUR: u64 = 3_600_000;
const DAY: u64 = 24 * HOUR;
/// The last instant with a four-digit year; later ones are taken for it.
const LAST: u64 = 253_402_300_799_999;

/// How long a budget lasts before it starts anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight.
    Day,
    /// From Monday to Monday.
    Week,
    /// A month of the calendar.
    Month,
    /// For ever: never resets.
    Total,
}

impl Period {
    /// The adjective people use for a budget of this period.
    pub fn adjective(self) -> &'static str {
        match self {
            Period::Hour => "hourly",
            Period::Day => "daily",
            Period::Week => "weekly",
            Period::Month => "monthly",
            Period::Total => "total",
        }
    }
}

/// One span of a period: the month of October 2026.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Window {
    period: Period,
    /// The first millisecond of the window, always the start of a span of `period`.
    start: u64,
}

impl Window {
    /// The window of `period` that holds `now`.
    pub fn at(period: Period, now: Timestamp) -> Window {
        let now = now.0.min(LAST);
        let start = match period {
            Period::Hour => now - now % HOUR,
            Period::Day => now - now % DAY,
            // 1970-01-01 was a Thursday: its week began three days before the epoch.
            Period::Week => ((now / DAY + 3) / 7 * 7).saturating_sub(3) * DAY,
            Period::Month => {
                let (year, month, _) = civil(now / DAY);
                days(year, month, 1) * DAY
            }
            Period::Total => 0,
        };
        Window { period, start }
    }

    /// The period this is a span of.
    pub fn period(&self) -> Period {
        self.period
    }

    /// The first instant of the window.
    pub fn start(&self) -> Timestamp {
        Timestamp(self.start)
    }

    /// The first instant that is no longer in the window; `None` for [`Period::Total`].
    pub fn resets_at(&self) -> Option<Timestamp> {
        let end = match self.period {
            Period::Hour => self.start + HOUR,
            Period::Day => self.start + DAY,
            // The week of the epoch is cut short at its beginning, not at its end.
            Period::Week => ((self.start / DAY + 3) / 7 * 7 + 4) * DAY,
            Period::Month => {
                let (year, month, _) = civil(self.start / DAY);
                if month == 12 { days(year + 1, 1, 1) * DAY } else { days(year, month + 1, 1) * DAY }
            }
            Period::Total => return None,
        };
        Some(Timestamp(end))
    }
}

/// The window's name: `2026-10`.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.start / DAY;
        let (year, month, date) = civil(day);
        match self.period {
            Period::Hour => write!(f, "{year:04}-{month:02}-{date:02}T{:02}", self.start % DAY / HOUR),
            Period::Day => write!(f, "{year:04}-{month:02}-{date:02}"),
            Period::Week => {
                let monday_based = (day + 3) % 7;
                let thursday = day + 3 - monday_based;
                let (year, _, _) = civil(thursday);
                write!(f, "{year:04}-W{:02}", (thursday - days(year, 1, 1)) / 7 + 1)
            }
            Period::Month => write!(f, "{year:04}-{month:02}"),
            Period::Total => f.write_str("total"),
        }
    }
}

/// A text that names no window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidWindow(pub String);

impl fmt::Display for InvalidWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} names no window; windows are named like 2026-10-05T13, 2026-10-05, 2026-W41, 2026-10 and total",
            self.0
        )
    }
}

impl std::error::Error for InvalidWindow {}

impl FromStr for Window {
    type Err = InvalidWindow;

    fn from_str(name: &str) -> Result<Window, InvalidWindow> {
        parse(name)
            // What does not print as it was read was not the name of a window: 2026-02-30.
            .filter(|window| window.to_string() == name)
            .ok_or_else(|| InvalidWindow(name.to_owned()))
    }
}

fn parse(name: &str) -> Option<Window> {
    if name == "total" {
        return Some(Window { period: Period::Total, start: 0 });
    }
    let mut parts = name.splitn(3, '-');
    let year: u64 = parts.next()?.parse().ok().filter(|year| (1970..10_000).contains(year))?;
    let second = parts.next()?;
    if let Some(week) = second.strip_prefix('W') {
        let week: u64 = week.parse().ok().filter(|week| (1..=53).contains(week))?;
        // The fourth of January is always in the first week.
        let in_week = days(year, 1, 4) + (week - 1) * 7;
        return Some(Window::at(Period::Week, Timestamp(in_week * DAY)));
    }
    let month: u64 = second.parse().ok().filter(|month| (1..=12).contains(month))?;
    let Some(rest) = parts.next() else {
        return Some(Window { period: Period::Month, start: days(year, month, 1) * DAY });
    };
    let (date, hour) = match rest.split_once('T') {
        Some((date, hour)) => (date, Some(hour.parse::<u64>().ok().filter(|hour| *hour < 24)?)),
        None => (rest, None),
    };
    let date: u64 = date.parse().ok().filter(|date| (1..=31).contains(date))?;
    let midnight = days(year, month, date) * DAY;
    Some(match hour {
        Some(hour) => Window { period: Period::Hour, start: midnight + hour * HOUR },
        None => Window { period: Period::Day, start: midnight },
    })
}

impl From<Window> for String {
    fn from(window: Window) -> String {
        window.to_string()
    }
}

impl TryFrom<String> for Window {
    type Error = InvalidWindow;
    fn try_from(name: String) -> Result<Window, InvalidWindow> {
        name.parse()
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
///
/// Years are taken to begin in March, which puts the leap day at a year's end.
fn days(year: u64, month: u64, date: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let months_since_march = (month + 9) % 12;
    let leap_days = year / 4 - year / 100 + year / 400;
    // The lengths of the months from March on repeat in fives of 153 days.
    let day_of_year = (153 * months_since_march + 2) / 5 + date - 1;
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    year * 365 + leap_days + day_of_year - 719_468
}

/// Year, month and date of a day counted from 1970-01-01.
fn civil(day: u64) -> (u64, u64, u64) {
    // A guess that is never late and at most one year early, put right by one look.
    let mut year = 1970 + day / 366;
    while days(year + 1, 1, 1) <= day {
        year += 1;
    }
    let mut month = 1;
    while month < 12 && days(year, month + 1, 1) <= day {
        month += 1;
    }
    (year, month, day - days(year, month, 1) + 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const PERIODS: [Period; 5] = [Period::Hour, Period::Day, Period::Week, Period::Month, Period::Total];

    /// 2026-10-05T13:14:15Z, a Monday.
    const NOW: Timestamp = Timestamp(1_791_206_055_000);

    fn name(period: Period, at: u64) -> String {
        Window::at(period, Timestamp(at)).to_string()
    }

    #[test]
    fn an_instant_has_one_window_of_every_period() {
        let names = PERIODS.map(|period| Window::at(period, NOW).to_string());
        assert_eq!(names, ["2026-10-05T13", "2026-10-05", "2026-W41", "2026-10", "total"]);
    }

    #[test]
    fn windows_reset_at_the_next_hour_midnight_monday_and_first() {
        let resets = PERIODS.map(|period| Window::at(period, NOW).resets_at().map(|t| t.0));
        assert_eq!(
            resets,
            [Some(1_791_208_800_000), Some(1_791_244_800_000), Some(1_791_763_200_000), Some(1_793_491_200_000), None]
        );
    }

    #[test]
    fn months_end_where_the_calendar_says() {
        for (last_day_of_month, length) in [
            ("2024-02-29", 29),
            ("2023-02-28", 28),
            ("2100-02-28", 28),
            ("2000-02-29", 29),
            ("2026-04-30", 30),
            ("2026-12-31", 31),
        ] {
            let day: Window = last_day_of_month.parse().unwrap();
            let month = Window::at(Period::Month, Timestamp(day.start));
            assert_eq!(month.resets_at(), day.resets_at(), "{last_day_of_month}");
            assert_eq!((month.resets_at().unwrap().0 - month.start) / DAY, length, "{last_day_of_month}");
        }
    }

    #[test]
    fn iso_weeks_belong_to_the_year_of_their_thursday() {
        for (day, week) in [
            ("2020-12-31", "2020-W53"),
            ("2021-01-03", "2020-W53"),
            ("2021-01-04", "2021-W01"),
            ("2024-12-30", "2025-W01"),
            ("2027-01-01", "2026-W53"),
            ("2026-01-01", "2026-W01"),
            ("1970-01-01", "1970-W01"),
        ] {
            let start = day.parse::<Window>().unwrap().start;
            assert_eq!(name(Period::Week, start), week, "{day}");
            assert_eq!(name(Period::Week, start + DAY - 1), week, "{day}");
        }
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for bad in [
            "",
            "2026",
            "2026-13",
            "2026-00",
            "2026-02-30",
            "2025-W53",
            "2026-W00",
            "2026-1",
            "2026-10-05T24",
            "2026-10-05t13",
            "Total",
            "1969-12",
            "2026-10-5",
            "+2026-10",
        ] {
            assert!(bad.parse::<Window>().is_err(), "{bad}");
        }
    }

    #[test]
    fn absurd_instants_do_not_overflow() {
        for period in PERIODS {
            let window = Window::at(period, Timestamp(u64::MAX));
            assert_eq!(window.to_string().parse::<Window>(), Ok(window));
        }
    }

    proptest! {
        #[test]
        fn a_window_holds_its_instant_and_ends_where_the_next_begins(at in 0..LAST) {
            for period in PERIODS {
                let window = Window::at(period, Timestamp(at));
                prop_assert!(window.start <= at);
                prop_assert_eq!(window.to_string().parse::<Window>(), Ok(window));
                if let Some(end) = window.resets_at() {
                    prop_assert!(at < end.0);
                    prop_assert_eq!(Window::at(period, Timestamp(end.0 - 1)), window);
                    if end.0 <= LAST {
                        prop_assert_eq!(Window::at(period, end).start, end.0);
                    }
                }
            }
        }
    }
}
