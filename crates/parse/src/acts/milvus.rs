//! Acts of Milvus: server line and access row of one request, refused logins and privileges, which carry no trace id, and the lines of an unknown account.

use event::{Event, Micros, Status, action, limits};

use super::{
    At,
    copies::{self, Copies, Line},
    known::{Column, Known, Name},
    place::Places,
    waits::{Key, Side, Wait, Waits, What},
};
use crate::prefix;

/// Lines without a trace id belong together within this.
const NEAR_US: Micros = 100_000;

/// What an access row can tell a server line.
const OF_ACCESS: &[Column] = &[Column::User, Column::SrcIp, Column::SrcPort, Column::Client];
/// The same of a refused privilege, by which two refusals are told apart.
const OF_REFUSED: &[Column] = &[Column::User, Column::SrcIp, Column::SrcPort, Column::Client, Column::Privilege];
/// What a server line can tell an access row.
const OF_SERVER: &[Column] = &[
    Column::User,
    Column::SrcHost,
    Column::Client,
    Column::TargetUser,
    Column::Role,
    Column::Privilege,
    Column::Database,
    Column::Object,
    Column::Statement,
    Column::Reason,
];

/// What the first line of an unknown account can tell the others of the same log: also what it learned from an access row that came before.
const OF_CHAIN: &[Column] = &[Column::User, Column::SrcIp, Column::SrcPort, Column::Client, Column::Reason];

/// Joins one line of Milvus.
pub fn assign(waits: &mut Waits, copies: &mut Copies, places: &mut Places, event: &mut Event<'_>, at: &At<'_>) {
    let side = match event.stream.as_deref() {
        Some("server") => Side::Server,
        Some("access") => Side::Access,
        _ => return,
    };
    let Some(place) = places.get_mut(at.place) else { return };
    place.has[side as usize] = true;
    // Only server lines stand in two streams, and only a line with a time of its own can be told from its like.
    let stream = if side == Side::Server && event.time.is_some() { place.stream_bit(at.source) } else { None };
    let hash = stream.map(|bit| (bit, line_hash(at.place, &event.raw)));
    if let Some((bit, hash)) = hash
        && let Some(act) = copies.copy_of(hash, at.time, bit)
    {
        event.mark(event::Issue::Duplicate);
        return at.join(event, &act);
    }
    if event.activity.is_some() {
        Join { waits, places, at, side }.line(event);
    }
    if let Some((bit, hash)) = hash {
        let line = Line { hash, at: at.time, observed: at.observed, source: at.source, seen: bit, act: Name::of_act(event, at.name) };
        copies.push(line, places.clocks());
    }
}

/// The hash of the product's own words: one stream may come through a container runtime.
fn line_hash(place: u32, raw: &str) -> u64 {
    let seed = u64::from(place);
    if matches!(raw.as_bytes().first(), Some(b'[')) {
        return copies::hash(seed, raw.as_bytes());
    }
    let (own, _) = prefix::unwrap(raw);
    copies::hash(seed, own.as_bytes())
}

/// One line on its way to its partner.
struct Join<'s, 'n> {
    waits: &'s mut Waits,
    places: &'s Places,
    at: &'s At<'n>,
    side: Side,
}

impl Join<'_, '_> {
    fn line(&mut self, event: &mut Event<'_>) {
        let failed = event.status == Some(Status::Failure);
        match event.activity {
            Some(a) if failed && *a == action::LOGON => self.logon(event),
            Some(_) if failed && event.field_text("reason") == Some("permission_denied") => {
                let Some(user) = event.user.as_deref() else { return };
                let what = What::Denied(user.into());
                let privilege = event.privilege.clone();
                // Two refusals of one account at once are told apart by the privilege, where both say it.
                let same = |w: &Wait| match (w.known.get(Column::Privilege), &privilege) {
                    (Some(a), Some(b)) => a == b,
                    _ => true,
                };
                self.across(event, what, NEAR_US, same);
            }
            Some(a) => {
                let Some((high, low)) = event.trace_id.as_deref().and_then(trace) else { return };
                self.across(event, What::Trace(high, low, a.class.uid(), a.id), limits::ACT_LIFE_US, |_| true);
            }
            None => {}
        }
    }

    fn key(&self, side: Side, what: What) -> Key {
        let cluster = self.places.get(self.at.place).map_or(0, |p| p.cluster);
        Key { cluster, side, what }
    }

    /// Joins the first line of the other stream that waits, or waits for it.
    fn across(&mut self, event: &mut Event<'_>, what: What, window: Micros, good: impl Fn(&Wait) -> bool) {
        let (mine, other) = match self.side {
            Side::Server => (Side::Server, Side::Access),
            Side::Access => (Side::Access, Side::Server),
        };
        let traced = matches!(what, What::Trace(..));
        let fits = |w: &Wait| good(w) && (traced || self.may_meet(w.place, other));
        let key = self.key(other, what);
        let found = self.waits.find(&key, self.at.time, window, self.at.place, fits);
        if let Some(wait) = found.and_then(|id| self.waits.claim(id)) {
            self.at.join(event, &wait.act);
            return wait.known.teach(event);
        }
        let columns = match (mine, &key.what) {
            (Side::Server, _) => OF_SERVER,
            (Side::Access, What::Denied(_)) => OF_REFUSED,
            (Side::Access, _) => OF_ACCESS,
        };
        self.wait(event, Key { side: mine, ..key }, columns);
    }

    /// Lines without a trace id meet within their instance; beyond it only where one of the two keeps no such stream of its own (a coordinator, or a
    /// log that lies in another folder).
    fn may_meet(&self, place: u32, other: Side) -> bool {
        let has = |place: u32, side: Side| self.places.get(place).is_some_and(|p| p.has[side as usize]);
        place == self.at.place || !has(place, self.side) || !has(self.at.place, other)
    }

    fn wait(&mut self, event: &Event<'_>, key: Key, columns: &[Column]) {
        let known = Known::of(event, columns);
        let wait = Wait { act: Name::of_act(event, self.at.name), at: self.at.time, place: self.at.place, known };
        self.waits.push(key, wait, self.at.source, self.at.observed, self.places.clocks());
    }

    /// A refused login. On the server's side an unknown account prints three lines, a refused key of older versions two.
    fn logon(&mut self, event: &mut Event<'_>) {
        let who = event.user.as_deref().or_else(|| event.field_text("reason")).unwrap_or("");
        let what = What::Logon(who.into());
        if self.side == Side::Access {
            return self.across(event, what, NEAR_US, |_| true);
        }
        match event.message.as_deref() {
            Some("GetCredential query credential failed") => {
                self.across(event, what, NEAR_US, |_| true);
                let user = event.user.as_deref().unwrap_or("").into();
                let (unknown, unverified) = (self.key(Side::Server, What::Unknown(user)), self.key(Side::Server, What::Unverified));
                self.wait(event, unknown, OF_CHAIN);
                self.wait(event, unverified, OF_CHAIN);
            }
            Some("Verify password failed") => {
                self.follow(event, What::Unverified);
            }
            Some("fail to verify password") => {
                let user = event.user.as_deref().unwrap_or("").into();
                match self.follow(event, What::Unknown(user)) {
                    Some(act) => self.move_here(what, &act),
                    None => self.across(event, what, NEAR_US, |_| true),
                }
            }
            Some("fail to verify apikey") if event.field("api_key").is_none() => {
                if self.follow(event, What::ApiKey).is_none() {
                    self.across(event, what, NEAR_US, |_| true);
                }
            }
            Some("fail to verify apikey") => {
                self.across(event, what, NEAR_US, |_| true);
                let key = self.key(Side::Server, What::ApiKey);
                self.wait(event, key, &[Column::SrcIp, Column::SrcPort]);
            }
            _ => self.across(event, what, NEAR_US, |_| true),
        }
    }

    /// Joins the line before it in the same stream.
    fn follow(&mut self, event: &mut Event<'_>, what: What) -> Option<Name> {
        let key = self.key(Side::Server, what);
        let id = self.waits.find(&key, self.at.time, NEAR_US, self.at.place, |_| true)?;
        let wait = self.waits.claim(id)?;
        self.at.join(event, &wait.act);
        wait.known.teach(event);
        Some(wait.act)
    }

    /// The coordinator's line waits for the access row of the proxy that asked it.
    fn move_here(&mut self, what: What, act: &Name) {
        let key = self.key(Side::Server, what);
        let found = self.waits.find(&key, self.at.time, NEAR_US, self.at.place, |w| w.act == *act);
        if let Some(wait) = found.and_then(|id| self.waits.get_mut(id)) {
            wait.place = self.at.place;
        }
    }
}

/// A trace id as two numbers. One that is not hexadecimal of up to 128 bit is hashed.
fn trace(id: &str) -> Option<(u64, u64)> {
    if id.is_empty() {
        return None;
    }
    match u128::from_str_radix(id, 16) {
        Ok(n) if id.len() <= 32 => Some(((n >> 64) as u64, n as u64)),
        _ => Some((u64::MAX, copies::hash(0, id.as_bytes()))),
    }
}
