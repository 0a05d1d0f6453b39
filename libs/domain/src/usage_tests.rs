use super::*;

const NONE: Switches = Switches { include_grace: false, include_free: false };
const GRACE: Switches = Switches { include_grace: true, include_free: false };
const FREE: Switches = Switches { include_grace: false, include_free: true };

fn counts(seats: u32, assigned: u32, active: u32, active_assigned: u32) -> SeatCounts {
    SeatCounts { seats, grace: 0, assigned, active, active_assigned }
}

#[test]
fn seats_count_in_good_standing_and_activity_always() {
    let good = SeatRule { available: true, active: true, grace: false };
    let only_active = SeatRule { available: false, active: true, grace: false };
    let none = SeatRule { available: false, active: false, grace: false };
    assert_eq!(SeatRule::of(Standing::Active, false, false, NONE), good);
    assert_eq!(SeatRule::of(Standing::Active, true, false, NONE), only_active);
    assert_eq!(SeatRule::of(Standing::Grace, false, false, NONE), only_active);
    assert_eq!(SeatRule::of(Standing::Grace, false, false, GRACE), SeatRule { grace: true, ..good });
    assert_eq!(SeatRule::of(Standing::Active, false, true, NONE), none);
    assert_eq!(SeatRule::of(Standing::Active, true, true, NONE), none);
    assert_eq!(SeatRule::of(Standing::Active, false, true, FREE), good);
    assert_eq!(SeatRule::of(Standing::Active, true, true, FREE), only_active);
}

#[test]
fn seats_in_grace_are_available_with_grace_alone() {
    let held = SeatCounts { grace: 3, ..counts(4, 6, 5, 5) };
    let figures = |switches| SeatRule::of(Standing::Active, false, false, switches).figures(held);
    assert_eq!((figures(NONE).available, figures(NONE).unassigned), (4, 0));
    assert_eq!((figures(GRACE).available, figures(GRACE).unassigned), (7, 1));
    let covered = |switches| held.reasons(Standing::Active, false, false, switches).covered;
    assert_eq!((covered(NONE), covered(GRACE)), (4, 5));
    assert_eq!(SeatRule::of(Standing::Suspended, false, false, GRACE).figures(held).available, 0);
}

#[test]
fn reasons_of_seats_sum_to_the_active_ones() {
    let seats = counts(4, 9, 8, 6);
    let good = seats.reasons(Standing::Active, false, false, NONE);
    assert_eq!(good, Reasons { covered: 4, over_assigned: 2, license_transferred: 2, ..Reasons::default() });
    assert_eq!(good.total(), 8);
    assert_eq!(seats.reasons(Standing::Grace, true, false, NONE), Reasons { trial: 8, ..Reasons::default() });
    assert_eq!(
        seats.reasons(Standing::Grace, false, false, NONE),
        Reasons { not_in_good_standing: 8, ..Reasons::default() }
    );
    assert_eq!(seats.reasons(Standing::Active, true, true, NONE), Reasons::default());
    assert_eq!(seats.reasons(Standing::Active, false, true, NONE), Reasons::default());
    assert_eq!(seats.reasons(Standing::Active, false, true, FREE), good);
}

#[test]
fn a_user_is_covered_by_the_best_it_holds() {
    assert_eq!(UserCover::of(Some(Holding::Good), true), UserCover::Covered);
    assert_eq!(UserCover::of(Some(Holding::Trial), false), UserCover::Trial);
    assert_eq!(UserCover::of(Some(Holding::NotInGoodStanding), false), UserCover::NotInGoodStanding);
    assert_eq!(UserCover::of(Some(Holding::Free), true), UserCover::Free);
    assert_eq!(UserCover::of(None, true), UserCover::LicenseTransferred);
    assert_eq!(UserCover::of(None, false), UserCover::UnlicensedUse);
}

#[test]
fn reasons_add_up() {
    let covers = [
        UserCover::Covered,
        UserCover::Trial,
        UserCover::NotInGoodStanding,
        UserCover::Free,
        UserCover::LicenseTransferred,
        UserCover::UnlicensedUse,
    ];
    let mut reasons = Reasons { over_assigned: 64, ..Reasons::default() };
    for (position, cover) in covers.into_iter().enumerate() {
        reasons.add(cover, 1 << position);
        reasons.add(cover, 0);
    }
    let expected = Reasons {
        covered: 1,
        trial: 2,
        not_in_good_standing: 4,
        free: 8,
        license_transferred: 16,
        unlicensed_use: 32,
        over_assigned: 64,
    };
    assert_eq!(reasons, expected);
    assert_eq!(reasons.total(), 127);
    // No number whose double is its square.
    let more = Reasons {
        covered: 3,
        trial: 5,
        not_in_good_standing: 7,
        free: 9,
        license_transferred: 11,
        unlicensed_use: 13,
        over_assigned: 15,
    };
    let sum = Reasons {
        covered: 4,
        trial: 7,
        not_in_good_standing: 11,
        free: 17,
        license_transferred: 27,
        unlicensed_use: 45,
        over_assigned: 79,
    };
    assert_eq!(reasons.plus(more), sum);
    assert_eq!(more.plus(reasons).total(), 127 + 63);
}
