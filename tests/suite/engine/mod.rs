//! The guarantees of the engine contract, written once and run for every engine: one file a behaviour.

mod atomicity;
mod conditions;
mod counting;
mod limits;
mod model;
mod opening;
mod order;
mod paging;
mod reopen;
mod subject;
mod torn;
mod trees;
mod values;
mod writers;

use self::subject::Subject;

/// Makes a test of every case for every engine, or for every engine that keeps things on disk.
macro_rules! suite {
    (@engine $engine:ident: $kind:ident, $($area:ident::$case:ident),* $(,)?) => {
        mod $engine {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let subject = super::Subject::new(dendro::engine::EngineKind::$kind);
                    super::$area::$case(&subject).await;
                }
            )*
        }
    };
    (every engine { $($area:ident::$case:ident),* $(,)? } on disk { $($disk:ident::$only:ident),* $(,)? }) => {
        suite!(@engine memory: Memory, $($area::$case),*);
        suite!(@engine sled: Sled, $($area::$case,)* $($disk::$only),*);
        suite!(@engine fjall: Fjall, $($area::$case,)* $($disk::$only),*);
    };
}

suite! {
every engine {
    atomicity::a_batch_reaches_all_its_trees,
    atomicity::readers_see_a_batch_whole_or_not_at_all,
    conditions::a_batch_applies_when_its_preconditions_hold,
    conditions::a_conflict_changes_nothing,
    conditions::a_key_can_be_required_to_be_absent,
    conditions::preconditions_look_at_what_was_there_before_the_batch,
    conditions::a_batch_of_preconditions_alone_answers_conflict_too,
    limits::what_cannot_be_stored_is_refused_and_changes_nothing,
    limits::the_longest_key_and_name_are_stored,
    model::any_sequence_of_calls_answers_as_a_map_would,
    order::keys_come_in_byte_order_both_ways,
    order::bounds_are_kept,
    order::an_empty_or_inverted_range_finds_nothing,
    order::a_prefix_of_the_highest_bytes_is_bounded_right,
    paging::pages_join_without_gap_or_overlap_both_ways,
    paging::more_is_exact,
    paging::a_page_ends_with_the_entry_that_reaches_its_bytes,
    paging::requests_are_answered_in_order,
    trees::a_tree_that_was_never_written_is_empty,
    trees::trees_do_not_mix,
    trees::a_dropped_tree_is_gone_and_can_be_written_again,
    trees::a_hundred_trees_take_one_batch,
    values::the_last_write_of_a_batch_wins,
    values::what_is_not_there_can_be_deleted,
    values::gets_answer_in_the_order_asked,
    values::empty_and_large_values_come_back,
    values::large_values_give_way_to_others,
    writers::read_modify_write_loses_nothing,
    writers::writers_of_different_keys_all_land,
}
on disk {
    opening::a_directory_and_its_parents_are_made,
    opening::another_engine_is_refused_by_name,
    opening::an_open_database_is_locked,
    opening::a_directory_of_something_else_is_left_alone,
    opening::a_start_that_was_cut_short_is_begun_again,
    opening::a_path_that_cannot_be_is_an_error,
    opening::a_full_disk_refuses_batches_and_changes_nothing,
    reopen::everything_is_there_again,
    reopen::a_long_log_opens_again,
    reopen::dropped_trees_stay_gone,
    reopen::much_that_was_just_written_is_there_again,
    reopen::what_is_put_aside_is_there_at_once_and_again,
    reopen::who_waits_for_it_can_open_it_at_once,
    torn::a_torn_end_of_the_log_undoes_the_last_batch_alone,
}
}
