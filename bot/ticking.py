"""APScheduler's jobs by our own clock: its scheduler asks the machine's, by which no year can be simulated.

Jobs, triggers and the store that keeps them in order are APScheduler's. What is due is asked for, and whoever asks runs
it, one after the other, in the loop that they are in: nothing happens in a thread or twice at a time.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.base import BaseScheduler
from apscheduler.triggers.base import BaseTrigger

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from apscheduler.job import Job

    from bot.core.clock import Clock
    from bot.core.recurring import When


class Recurring(BaseTrigger):  # type: ignore[misc]
    """Fires at the instants of what recurs by the clock on the wall of a zone."""

    def __init__(self, when: When, zone: tzinfo) -> None:
        self.when, self.zone = when, zone

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the first instant after the last one, or after now."""
        return self.when.after(previous_fire_time or now, self.zone)


class _Nobody(BaseExecutor):  # type: ignore[misc]
    """Runs nothing: whoever asks what is due does."""

    def _do_submit_job(self, job: Job, run_times: list[datetime]) -> None:
        raise NotImplementedError


class Ticking(BaseScheduler):  # type: ignore[misc]
    """A scheduler whose time is a clock's. It is never resumed, so that APScheduler itself runs nothing."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(timezone=UTC)
        self._clock = clock
        self.start(paused=True)

    def wakeup(self) -> None:
        """Do nothing: `next_at` is asked after each change."""

    def shutdown(self, wait: bool = True) -> None:  # noqa: FBT001, FBT002 - as APScheduler declares it
        """Forget every job."""
        super().shutdown(wait)

    def _create_default_executor(self) -> BaseExecutor:
        return _Nobody()

    def due(self) -> list[tuple[Job, list[datetime]]]:
        """Return each job whose time has come, the earliest first, with every instant that is over."""
        now = self._clock.now()
        with self._jobstores_lock:
            found = [job for store in self._jobstores.values() for job in store.get_due_jobs(now)]
        return [(job, _over(job, now)) for job in found]

    def done(self, job: Job, last: datetime) -> None:
        """Let a job come next after an instant that is dealt with."""
        job.modify(next_run_time=job.trigger.get_next_fire_time(last, self._clock.now()))

    @property
    def next_at(self) -> datetime | None:
        """Return when the next job comes; None without any."""
        with self._jobstores_lock:
            times = [store.get_next_run_time() for store in self._jobstores.values()]
        return min((one for one in times if one is not None), default=None)


def _over(job: Job, now: datetime) -> list[datetime]:
    """Return the instants of a job up to now."""
    times, next_one = [], job.next_run_time
    while next_one <= now:
        times.append(next_one)
        next_one = job.trigger.get_next_fire_time(next_one, now)
    return times
