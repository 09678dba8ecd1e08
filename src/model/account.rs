use std::ops::{AddAssign, SubAssign};

use serde::{Deserialize, Serialize};

use super::{EffectStatus, ItemStatus, RowCount, UnitRecord, UnitStatus};

/// One column of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Done,
    Present,
    Skipped,
    Failed,
    Blocked,
    Pending,
}

/// Units by state, and the bytes of those the job wrote. Always derived from states, never counted up across runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub done: u64,
    pub present: u64,
    pub skipped: u64,
    pub failed: u64,
    pub blocked: u64,
    pub pending: u64,
    /// Bytes of the `done` units.
    pub bytes: u64,
    /// Rows of the `done` units.
    pub rows: RowCount,
    /// What the units owe to steps such as `notify`.
    pub effects: EffectAccount,
}

/// Effects by state: each unit has one for each step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectAccount {
    pub sent: u64,
    /// The object was there already and the step is for written ones.
    pub not_due: u64,
    pub left_out: u64,
    pub failed: u64,
    /// The unit failed.
    pub blocked: u64,
    pub pending: u64,
}

impl EffectAccount {
    /// The sum of all columns.
    pub fn planned(&self) -> u64 {
        self.sent + self.not_due + self.left_out + self.failed + self.blocked + self.pending
    }

    pub fn column(&mut self, status: EffectStatus) -> &mut u64 {
        match status {
            EffectStatus::Pending => &mut self.pending,
            EffectStatus::Sent => &mut self.sent,
            EffectStatus::NotDue => &mut self.not_due,
            EffectStatus::LeftOut => &mut self.left_out,
            EffectStatus::Failed => &mut self.failed,
            EffectStatus::Blocked => &mut self.blocked,
        }
    }

    fn add(&mut self, other: &Self) {
        self.sent += other.sent;
        self.not_due += other.not_due;
        self.left_out += other.left_out;
        self.failed += other.failed;
        self.blocked += other.blocked;
        self.pending += other.pending;
    }

    fn subtract(&mut self, other: &Self) {
        self.sent -= other.sent;
        self.not_due -= other.not_due;
        self.left_out -= other.left_out;
        self.failed -= other.failed;
        self.blocked -= other.blocked;
        self.pending -= other.pending;
    }
}

impl Account {
    /// The account of a page, or of any other set of units.
    pub fn of(records: &[UnitRecord]) -> Self {
        let mut account = Self::default();
        for record in records {
            account.count(record.status, record.size.unwrap_or_default());
            account.rows += record.rows;
            for effect in &record.effects {
                *account.effects.column(effect.status) += 1;
            }
        }
        account
    }

    /// The units that are known: the sum of all columns.
    pub fn planned(&self) -> u64 {
        self.done + self.present + self.skipped + self.failed + self.blocked + self.pending
    }

    /// Units whose work is over for good: done or present.
    pub fn settled(&self) -> u64 {
        self.done + self.present
    }

    /// The same units when nothing more is to be done for them: what is not settled is skipped, what is owed is left out.
    #[must_use]
    pub fn set_aside(mut self) -> Self {
        self.skipped += self.failed + self.blocked + self.pending;
        (self.failed, self.blocked, self.pending) = (0, 0, 0);
        let effects = &mut self.effects;
        effects.left_out += effects.failed + effects.blocked + effects.pending;
        (effects.failed, effects.blocked, effects.pending) = (0, 0, 0);
        self
    }

    pub fn column(&mut self, state: State) -> &mut u64 {
        match state {
            State::Done => &mut self.done,
            State::Present => &mut self.present,
            State::Skipped => &mut self.skipped,
            State::Failed => &mut self.failed,
            State::Blocked => &mut self.blocked,
            State::Pending => &mut self.pending,
        }
    }

    /// Moves one unit of `bytes` length from one column to another.
    pub fn move_unit(&mut self, from: UnitStatus, to: UnitStatus, bytes: u64) {
        *self.column(from.state()) -= 1;
        if from == UnitStatus::Done {
            self.bytes -= bytes;
        }
        self.count(to, bytes);
    }

    /// Moves one effect from one column to another.
    pub fn move_effect(&mut self, from: EffectStatus, to: EffectStatus) {
        *self.effects.column(from) -= 1;
        *self.effects.column(to) += 1;
    }

    /// Counts one unit of `bytes` length.
    pub fn count(&mut self, status: UnitStatus, bytes: u64) {
        *self.column(status.state()) += 1;
        if status == UnitStatus::Done {
            self.bytes += bytes;
        }
    }
}

impl AddAssign for Account {
    fn add_assign(&mut self, other: Self) {
        self.done += other.done;
        self.present += other.present;
        self.skipped += other.skipped;
        self.failed += other.failed;
        self.blocked += other.blocked;
        self.pending += other.pending;
        self.bytes += other.bytes;
        self.rows += other.rows;
        self.effects.add(&other.effects);
    }
}

impl SubAssign for Account {
    fn sub_assign(&mut self, other: Self) {
        self.done -= other.done;
        self.present -= other.present;
        self.skipped -= other.skipped;
        self.failed -= other.failed;
        self.blocked -= other.blocked;
        self.pending -= other.pending;
        self.bytes -= other.bytes;
        self.rows -= other.rows;
        self.effects.subtract(&other.effects);
    }
}

/// Items by state. `pending` holds those in progress too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemAccount {
    pub planned: u64,
    pub done: u64,
    pub skipped: u64,
    pub failed: u64,
    pub blocked: u64,
    pub pending: u64,
    /// Of the failed ones, those whose unit list could not be read: their units are unknown.
    pub failed_listings: u64,
}

impl ItemAccount {
    /// `planned - (done + skipped + failed + blocked + pending)`; anything but zero is a defect of the runner.
    pub fn residual(&self) -> i64 {
        let sum = self.done + self.skipped + self.failed + self.blocked + self.pending;
        i64::try_from(self.planned).unwrap_or(i64::MAX) - i64::try_from(sum).unwrap_or(i64::MAX)
    }

    pub fn column(&mut self, status: ItemStatus) -> &mut u64 {
        match status {
            ItemStatus::Pending | ItemStatus::InProgress => &mut self.pending,
            ItemStatus::Completed => &mut self.done,
            ItemStatus::Failed => &mut self.failed,
            ItemStatus::Skipped => &mut self.skipped,
        }
    }
}
