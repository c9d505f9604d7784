//! The situations of several rules: the state of the domain.

use crate::judge::facts::Facts;
use crate::judge::rule::{Step, plain};
use crate::model::DomainState;

pub(super) fn domain_is_on(facts: &Facts) -> Step {
    Ok(plain(facts.domain_state()?.is_active()))
}

pub(super) fn domain_is_off(facts: &Facts) -> Step {
    Ok(plain(facts.domain_state()? == DomainState::Shutoff))
}

/// Where it may not start, the state is not asked for here: the rule after this one does that.
pub(super) fn domain_is_off_and_may_start(facts: &Facts) -> Step {
    if !facts.records.may_start {
        return Ok(None);
    }
    domain_is_off(facts)
}

pub(super) fn domain_is_gone(facts: &Facts) -> Step {
    Ok(plain(facts.domain_state()? == DomainState::Gone))
}

pub(super) fn restored_and_paused(facts: &Facts) -> Step {
    Ok(plain(
        facts.records.may_start && facts.is_restored_and_paused()?,
    ))
}

pub(super) fn restored_and_left_paused(facts: &Facts) -> Step {
    Ok(plain(facts.is_restored_and_paused()?))
}
