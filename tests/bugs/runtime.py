"""Bugs in the worker process: the conversation with the database, and what runs beside it.

Owns: these bugs, each with the test of the runtime that misses the good text.
Keeps: a bug is a piece of a module's own text, put differently.
Above: catalogue. Below: tests.bugs.kinds.
"""

from tests.bugs.kinds import Patch

CONVERSATION: dict[str, Patch] = {
    "a step that broke takes its finishes with it": Patch(
        "runtime/dispatcher.py",
        "unsure = [*self._unsure, *self._gathered()]",
        "unsure = list[Finish]()",
        "runtime/test_in_flight.py::test_what_a_step_that_broke_had_to_say_is_said_by_the_next",
    ),
    "what a lost answer gave out is left lying": Patch(
        "runtime/dispatcher.py",
        "self._due.extend(Finish(claim, seq, 0, RELEASED) for seq, claim in opened.items())",
        "",
        "runtime/test_lost_answers.py::"
        "test_a_claim_whose_answer_was_lost_is_given_back_and_runs_once",
    ),
    "what landed is said once more": Patch(
        "runtime/dispatcher.py",
        "if opened.pop(finish.seq, None) is not None]",
        "if opened.pop(finish.seq, None) or True]",
        "runtime/test_lost_answers.py::test_a_finish_whose_answer_was_lost_is_not_repeated",
    ),
    "the connection that asks has the number of the one that broke": Patch(
        "runtime/dispatcher.py",
        "self._connection += 1",
        "self._connection = 1",
        "runtime/test_lost_answers.py::"
        "test_a_claim_that_arrives_after_the_worker_has_asked_gives_out_nothing",
    ),
    "a silent partition is waited for": Patch(
        "runtime/dispatcher.py",
        "async with asyncio.timeout(self._answer_s):",
        "async with asyncio.timeout(None):",
        "runtime/test_lost_answers.py::test_a_silent_partition_is_left_for_another_connection",
    ),
    "a batch that was refused is said again as it was": Patch(
        "runtime/dispatcher.py",
        "if self._is_wary and batch:",
        "if False and batch:",
        "runtime/test_refused.py::test_one_finish_that_is_refused_keeps_no_other_from_landing",
    ),
    "a refusal makes a worker wary for ever": Patch(
        "runtime/dispatcher.py",
        "        self._is_wary = False\n        return batch",
        "        return batch",
        "runtime/test_refused.py::test_one_finish_that_is_refused_keeps_no_other_from_landing",
    ),
    "a handler does not learn what a new connection has found over": Patch(
        "runtime/dispatcher.py",
        "if opened.pop(attempt.seq, None) is None:\n                self.slots.give_up(attempt)",
        "opened.pop(attempt.seq, None)",
        "runtime/test_breaks.py::test_what_was_over_meanwhile_is_told_when_it_is_connected_again",
    ),
    "what ended in time is ended at its deadline": Patch(
        "runtime/dispatcher.py",
        "            late = self._silent(late)\n",
        "",
        "runtime/test_deadline.py::test_a_word_that_waits_when_its_deadline_passes_is_said",
    ),
    "an attempt whose entry was over is finished all the same": Patch(
        "runtime/slots.py",
        "if queue.overdue.pop(finish.seq, None) is not None:\n            return False",
        "if queue.overdue.pop(finish.seq, None) is not None:\n            return True",
        "runtime/test_deadline.py::"
        "test_at_its_deadline_a_handler_that_hangs_is_cancelled_and_makes_room",
    ),
    "a finish that is refused for ever is said for ever": Patch(
        "runtime/dispatcher.py",
        "verdict = None if one.verdict is None else UNTOLD",
        "verdict = one.verdict",
        "runtime/test_refused.py::test_one_finish_that_is_refused_keeps_no_other_from_landing",
    ),
    "what was lost in flight is forgotten by the answer": Patch(
        "runtime/dispatcher.py",
        "self._is_lost = self._is_lost or answer.is_lost",
        "self._is_lost = answer.is_lost",
        "runtime/test_in_flight.py::"
        "test_who_is_declared_lost_while_a_step_is_in_flight_registers_anew",
    ),
    "who was lost goes on under its old id": Patch(
        "runtime/dispatcher.py",
        "if self._is_lost:\n            await self._register()",
        "if False:\n            await self._register()",
        "runtime/test_zombie.py::test_who_was_lost_registers_anew_and_its_slots_stay_taken",
    ),
    "a handler does not learn that its entry is over": Patch(
        "runtime/dispatcher.py",
        "self.slots.give_up(attempt)\n\n    def seconds_since_turn",
        "pass\n\n    def seconds_since_turn",
        "runtime/test_zombie.py::test_a_cancel_reaches_a_running_handler",
    ),
    "more is claimed than there is room for": Patch(
        "runtime/slots.py",
        "return max(0, min(free, self.config.claim_batch_size))",
        "return self.config.claim_batch_size",
        "runtime/test_slots.py::test_slots_are_filled_and_never_exceeded",
    ),
    "a handler that does not end makes room for another": Patch(
        "runtime/slots.py",
        "queue.overdue[attempt.seq] = attempt",
        "",
        "runtime/test_deadline.py::test_an_attempt_past_its_deadline_is_over_and_its_slot_taken",
    ),
    "deadlines are not looked at": Patch(
        "runtime/dispatcher.py",
        "if late := self.slots.late(now):",
        "if late := self.slots.late(0):",
        "runtime/test_deadline.py::"
        "test_at_its_deadline_a_handler_that_hangs_is_cancelled_and_makes_room",
    ),
}

STOPPING: dict[str, Patch] = {
    "a stop hands back what has its finish waiting": Patch(
        "runtime/dispatcher.py",
        "unfinished = self._silent(self.slots.running())",
        "unfinished = list(self.slots.running())",
        "runtime/test_in_flight.py::"
        "test_a_word_that_waits_for_the_step_in_flight_is_said_and_not_handed_back",
    ),
    "what a step brings after the stop begins": Patch(
        "runtime/dispatcher.py",
        "if self.is_draining:\n            # The stop came",
        "if False:\n            # The stop came",
        "runtime/test_in_flight.py::test_what_a_step_brings_after_the_stop_goes_straight_back",
    ),
    "a stop does not ask what a broken step has brought": Patch(
        "runtime/dispatcher.py",
        "return self.is_connected and self.slots.is_empty() and not waiting",
        "return self.slots.is_empty() and not waiting",
        "runtime/test_in_flight.py::test_a_stop_asks_what_a_step_that_broke_has_brought",
    ),
    "a stop claims on": Patch(
        "runtime/dispatcher.py",
        "return batch, [] if self.is_draining else self.slots.asks(now)",
        "return batch, self.slots.asks(now)",
        "runtime/test_stop.py::test_a_stop_claims_no_more_and_gives_handlers_their_time",
    ),
    "a worker retires before its finishes are written": Patch(
        "runtime/engine.py",
        "await self.dispatcher.drained.wait()",
        "",
        "runtime/test_stop.py::test_what_does_not_end_in_time_goes_to_another_worker_at_no_cost",
    ),
    "who does not end is not cancelled": Patch(
        "runtime/engine.py",
        "self.executor.cancel(self.dispatcher.release())",
        "self.dispatcher.release()",
        "runtime/test_stop.py::test_what_does_not_end_in_time_goes_to_another_worker_at_no_cost",
    ),
    "a stop leaves its entries to the rescue": Patch(
        "runtime/engine.py",
        "self.executor.cancel(self.dispatcher.release())",
        "",
        "runtime/test_stop.py::test_what_does_not_end_in_time_goes_to_another_worker_at_no_cost",
    ),
    "what was handed back begins all the same": Patch(
        "runtime/executor.py",
        "if not answer.done():\n                answered",
        "if True:\n                answered",
        "runtime/test_in_flight.py::test_what_is_handed_back_while_it_waits_for_a_thread_never_begins",
    ),
    "a stop waits for company": Patch(
        "runtime/dispatcher.py",
        "if self._due or (self.is_draining and self._finished):",
        "if self._due:",
        "runtime/test_stop.py::test_a_stop_does_not_wait_for_company",
    ),
}

WAKING: dict[str, Patch] = {
    "what is heard during a look is forgotten": Patch(
        "runtime/pace.py",
        "if is_news or self._is_heard or",
        "if is_news or",
        "runtime/test_wakeups.py::test_who_is_told_during_a_look_looks_again",
    ),
    "a look that was refused has announced": Patch(
        "runtime/pace.py",
        "not answer.is_refused(queue) and self._announces(asleep)",
        "self._announces(asleep)",
        "runtime/test_pace.py::test_a_look_that_was_refused_has_announced_nothing",
    ),
    "who announces its sleep does not look again": Patch(
        "runtime/pace.py",
        "is_news = asleep and not self._is_announced",
        "is_news = False",
        "runtime/test_pace.py::test_who_announces_its_sleep_looks_once_more",
    ),
    "a queue that has more is not looked into at once": Patch(
        "runtime/pace.py",
        "or self._is_heard or queue in answer.more or",
        "or self._is_heard or",
        "runtime/test_pace.py::test_a_queue_that_has_more_is_looked_into_at_once",
    ),
    "a busy worker wants wake-ups": Patch(
        "runtime/pace.py",
        "return now >= self._busy_until",
        "return True",
        "runtime/test_wakeups.py::test_a_busy_worker_wants_no_wake_ups",
    ),
    "the end of a lane is never settled": Patch(
        "runtime/pace.py",
        "return self._young_since is not None and now - self._young_since >= SETTLE_S",
        "return False",
        "runtime/test_wakeups.py::test_a_rollback_at_the_end_of_a_lane_lets_its_worker_rest",
    ),
    "who heard nothing does not listen again": Patch(
        "runtime/listener.py",
        "if self._conn is None:",
        "if self._conn is None and not self.ran.is_set():",
        "runtime/test_breaks.py::test_without_its_listening_connection_it_polls_and_listens_again",
    ),
    "who does not hear any more sleeps on": Patch(
        "runtime/engine.py",
        "if was_listening and not is_listening:",
        "if False:",
        "runtime/test_breaks.py::test_who_does_not_hear_any_more_polls_as_often_as_it_was_asked",
    ),
}

BESIDE: dict[str, Patch] = {
    "the heart does not beat": Patch(
        "runtime/heartbeat.py",
        "runner.run(self._beat())",
        "pass",
        "runtime/test_breaks.py::test_the_heartbeat_comes_back_and_nobody_is_lost",
    ),
    "what a heartbeat learns is told to nobody": Patch(
        "runtime/heartbeat.py",
        "self._pulse.beaten(worker, beat)",
        "",
        "runtime/test_zombie.py::test_a_worker_hears_with_its_heartbeat_that_it_was_lost",
    ),
    "who beats does not hear what is over": Patch(
        "runtime/engine.py",
        "elif beat.over:",
        "elif False:",
        "runtime/test_zombie.py::test_a_cancel_reaches_a_running_handler",
    ),
    "a dead heart goes unnoticed": Patch(
        "runtime/heartbeat.py",
        "self.fault.set_exception(error)",
        "pass",
        "runtime/test_death.py::"
        "test_a_heartbeat_that_dies_of_a_fault_of_ours_takes_the_engine_with_it",
    ),
    "the deposed sweep on with the epoch they had": Patch(
        "runtime/maintenance.py",
        "self._leads.depose(epoch)",
        "pass",
        "runtime/test_sweeps.py::test_who_learns_in_a_sweep_that_it_was_deposed_sweeps_no_more",
    ),
    "who has resigned is elected again": Patch(
        "runtime/maintenance.py",
        "if self._has_resigned:",
        "if False:",
        "runtime/test_sweeps.py::test_who_has_resigned_is_not_elected_again",
    ),
    "long sweeps use up the connections": Patch(
        "runtime/engine.py",
        "POOL_MAX = 8",
        "POOL_MAX = 2",
        "runtime/test_sweeps.py::test_no_number_of_long_sweeps_delays_a_short_one_or_an_election",
    ),
    "a rescue comes too seldom to see who is stale": Patch(
        "runtime/maintenance.py",
        "return min(self._config.heartbeat_rescue_interval_ms, longest_ms) / 1000",
        "return self._config.heartbeat_rescue_interval_ms / 1000",
        "runtime/test_sweeps.py::test_a_slow_rescue_follows_a_short_staleness",
    ),
    "a verdict's delay is forgotten": Patch(
        "runtime/executor.py",
        'return {"verdict": "retry", "delay_s": said.wait_s}',
        'return {"verdict": "retry", "delay_s": 0}',
        "runtime/test_outcomes.py::test_a_verdict_says_when_its_job_comes_back",
    ),
    "a snooze's delay is forgotten": Patch(
        "runtime/executor.py",
        'return {"verdict": "snooze", "delay_s": said.wait_s}',
        'return {"verdict": "snooze", "delay_s": 0}',
        "runtime/test_outcomes.py::test_a_verdict_says_when_its_job_comes_back",
    ),
    "a snooze is a retry": Patch(
        "runtime/executor.py",
        'return {"verdict": "snooze", "delay_s": said.wait_s}',
        'return {"verdict": "retry", "delay_s": said.wait_s}',
        "runtime/test_outcomes.py::test_attempts_are_counted_and_a_snooze_gives_one_back",
    ),
    "a terminal error is tried again": Patch(
        "runtime/executor.py",
        'verdict = "fail" if isinstance(error, TerminalError) else "retry"',
        'verdict = "retry"',
        "runtime/test_outcomes.py::test_each_outcome_leads_to_its_state",
    ),
    "a handler that raises what ends a process is never finished": Patch(
        "runtime/executor.py",
        "return isinstance(error, GeneratorExit) and self._loop.is_closed()",
        "return isinstance(error, GeneratorExit)",
        "runtime/test_errors.py::test_what_ends_a_process_ends_none_when_a_handler_raises_it",
    ),
}
