"""Run one submitted notebook in a sandboxed kernel, test by test, and report what the grader saw.

Learners' cells run as nbclient runs any cell. Tests go through the gate, and only its signed answers
decide about points: whatever else a test cell seems to have put out as an error or a result is dropped.
"""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_output
from traitlets import Int

from autograder.engine.channel import Channel, Tampered
from autograder.engine.plan import Plan, is_test, plain_python
from autograder.engine.provisioner import SandboxProvisioner
from autograder.engine.sandbox import Limits, SandboxError
from autograder.engine.screen import screen
from autograder.engine.warm import KernelRequest, WarmProcess

# After so many kernels a submission is not worth another: each was ended by a different cell.
_MAX_KERNELS = 4
_VERDICT_WAIT = 5.0


@dataclass(frozen=True)
class Settings:
    """Limits of one submission."""

    cell_timeout: int = 120
    notebook_timeout: int = 600
    output_bytes: int = 10_000_000
    limits: Limits = field(default_factory=Limits)
    pristine: tuple[str, ...] = ("dlcourse",)


@dataclass
class Execution:
    """What became of one notebook.

    Attributes:
        notebook: the executed notebook; test cells hold the gate's verdicts as outputs.
        passed: by grade_id, whether each autograded test passed.
        needs_human: reasons why the marks must not be believed; empty for an honest submission.
        remarks: what the instructor should know (a cell that never ended, a flood of output).
        wall_s: seconds from start to end.
        cpu_s: CPU seconds used in the sandbox.
        memory_mb: largest resident size of the kernel, what it shares with the warm process included.
    """

    notebook: NotebookNode
    passed: dict[str, bool] = field(default_factory=dict)
    needs_human: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    wall_s: float = 0.0
    cpu_s: float = 0.0
    memory_mb: float = 0.0


def execute(notebook: NotebookNode, plan: Plan, warm: WarmProcess, settings: Settings, work: Path | None) -> Execution:
    """Execute a notebook whose test cells have been restored from the source.

    Args:
        notebook: the submission; changed in place.
        plan: what the instructor's notebook says.
        warm: the process to fork kernels from.
        settings: limits.
        work: a folder whose files are copied to where the notebook runs; None for an empty one.

    Raises:
        SandboxError: no kernel could be started; nothing about the submission is known.
    """
    return asyncio.run(_Run(notebook, plan, warm, settings, work).run())


class _Client(NotebookClient):
    """nbclient with a bound on what a notebook may print."""

    output_bytes = Int(10_000_000)
    printed = 0
    flooded = False
    timed_out = False

    async def _async_handle_timeout(self, timeout: int, cell: NotebookNode | None = None) -> None | dict[str, Any]:
        self.timed_out = True
        return await super()._async_handle_timeout(timeout, cell)

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        content = msg.get("content", {})
        size = len(content.get("text", "")) + sum(len(str(v)) for v in content.get("data", {}).values())
        self.printed += size
        if self.printed > self.output_bytes and msg["msg_type"] in ("stream", "display_data", "execute_result"):
            self.flooded = True
            return None
        return super().process_message(msg, cell, cell_index)


class _Run:
    """One submission on its way through one kernel, or a few if cells of it kill theirs."""

    def __init__(
        self, notebook: NotebookNode, plan: Plan, warm: WarmProcess, settings: Settings, work: Path | None
    ) -> None:
        self.plan, self.warm, self.settings, self.work = plan, warm, settings, work
        self.result = Execution(notebook)
        self.client: _Client | None = None
        self.provisioner: SandboxProvisioner | None = None
        self.deadly: set[int] = set()
        self.kernels = 0
        self.outputs_left = settings.output_bytes
        self.flooded = False

    async def run(self) -> Execution:
        started = time.monotonic()
        self.deadline = started + self.settings.notebook_timeout
        cells = self.result.notebook.cells
        learner = [c.source for c in cells if c.cell_type == "code" and not is_test(c)]
        self.result.needs_human += screen(learner, self.plan.code)
        try:
            for index, cell in enumerate(cells):
                if cell.cell_type != "code":
                    continue
                cell.outputs, cell.execution_count = [], None
                if not cell.source.strip() and not is_test(cell):
                    continue
                await self._run_cell(index, cell)
        finally:
            await self._end_kernel()
        if self.flooded:
            self.result.remarks.append(
                f"printed more than {self.settings.output_bytes // 1_000_000} MB; the rest was dropped"
            )
        self.result.wall_s = time.monotonic() - started
        return self.result

    async def _run_cell(self, index: int, cell: NotebookNode) -> None:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", f"cell {index + 1}")
        left = self.deadline - time.monotonic()
        if left <= 0 or self.kernels > _MAX_KERNELS:
            reason = "the notebook ran out of time" if left <= 0 else "too many cells ended the kernel"
            if reason not in self.result.remarks:
                self.result.remarks.append(reason)
            self._fail(cell, "NotRun", f"This cell was not run: {reason}.")
            return
        try:
            if self.client is None:
                await self._start_kernel(upto=index)
            self.client.timeout = max(1, int(min(self.settings.cell_timeout, left)))
            self.client.timed_out = False
            verdict = await self._execute(index, cell)
            timed_out = self.client.timed_out
        except (DeadKernelError, CellTimeoutError, EOFError) as error:
            # A cell that ends the kernel, or cannot be interrupted, costs itself and nobody else.
            self.deadly.add(index)
            what = "ran out of time" if isinstance(error, CellTimeoutError) else "ended the kernel"
            self.result.remarks.append(f"{name} {what}")
            await self._end_kernel()
            self._fail(cell, type(error).__name__, f"This cell {what}.")
            return
        if timed_out:
            self.result.remarks.append(f"{name} ran out of time")
        if is_test(cell):
            self._judge(cell, verdict, timed_out)

    async def _execute(self, index: int, cell: NotebookNode) -> dict | None:
        """Run one cell; for a test, return the gate's verdict."""
        client, channel = self.client, self.provisioner.channel
        if not is_test(cell):
            await client.async_execute_cell(cell, index)
            self._account()
            self._read(channel, None, 0)
            return None
        source, ticket = cell.source, f"{index}"
        names = sorted(self.plan.names)
        channel.send({"id": ticket, "source": plain_python(source), "names": names})
        # The test itself travels over the channel only: what Jupyter carries can be read in the kernel.
        cell.source = "pass"
        try:
            await client.async_execute_cell(cell, index)
        finally:
            cell.source = source
        self._account()
        return self._read(channel, ticket, _VERDICT_WAIT)

    def _read(self, channel: Channel, ticket: str | None, wait: float) -> dict | None:
        """Read what the gate has sent; return the verdict for `ticket`, if it is there."""
        verdict = None
        try:
            while (message := channel.receive(wait if ticket and verdict is None else 0)) is not None:
                if "tampering" in message:
                    self._suspect(message["tampering"])
                elif message.get("id") == ticket and verdict is None:
                    verdict = message
        except Tampered as error:
            self._suspect(str(error))
        except EOFError:
            # The kernel is gone, or learner code closed the descriptor.
            if self.client is not None and ticket:
                self._suspect("the private channel was closed")
        return verdict

    def _suspect(self, reason: str) -> None:
        if reason not in self.result.needs_human:
            self.result.needs_human.append(reason)

    def _judge(self, cell: NotebookNode, verdict: dict | None, timed_out: bool) -> None:
        """Replace what a test cell seems to say by what the gate said."""
        name = cell.metadata.nbgrader.grade_id
        # stderr costs the points in nbgrader; a warning is not a wrong answer.
        cell.outputs = [o for o in cell.outputs if o.output_type in ("stream", "display_data")]
        for output in cell.outputs:
            if output.output_type == "stream":
                output.name = "stdout"
        for changed in verdict["changed"] if verdict is not None else ():
            self._suspect(f"{changed} was replaced")
        if timed_out:
            self._fail(cell, "CellTimeoutError", "This test did not end in time.")
            return
        if verdict is None:
            self._suspect(f"{name} gave no verdict")
            self._fail(cell, "NoVerdict", "This test was prevented from reporting its result.")
            return
        if verdict["status"] == "passed":
            self.result.passed[name] = True
            if verdict["result"] is not None:
                data = {"text/plain": verdict["result"]}
                cell.outputs.append(new_output("execute_result", data=data, execution_count=cell.execution_count))
            return
        text = f"{verdict['ename']}: {verdict['evalue']}" if verdict["evalue"] else verdict["ename"]
        quoted = _visible_line(cell.source, verdict["line"])
        self._fail(cell, verdict["ename"], verdict["evalue"], [quoted, text] if quoted else [text])

    def _fail(self, cell: NotebookNode, ename: str, evalue: str, traceback: list[str] | None = None) -> None:
        lines = traceback or [f"{ename}: {evalue}"]
        cell.outputs = [o for o in cell.get("outputs", []) if o.output_type != "error"]
        cell.outputs.append(new_output("error", ename=ename, evalue=evalue, traceback=lines))
        if is_test(cell):
            self.result.passed[cell.metadata.nbgrader.grade_id] = False

    async def _start_kernel(self, upto: int) -> None:
        """Start a kernel and bring it to where the last one died, without the cells that killed it."""
        self.kernels += 1
        manager = AsyncKernelManager(kernel_name="python3")
        manager.sandbox_request = KernelRequest(
            self.settings.limits, self.work, self.plan.imports, self.settings.pristine
        )
        self.provisioner = SandboxProvisioner(parent=manager, kernel_spec=manager.kernel_spec, kernel_id="submission")
        self.provisioner.warm = self.warm
        manager.provisioner = self.provisioner
        self.client = _Client(
            self.result.notebook,
            km=manager,
            allow_errors=True,
            interrupt_on_timeout=True,
            error_on_timeout={
                "ename": "CellTimeoutError",
                "evalue": "This cell did not end in time.",
                "traceback": ["CellTimeoutError: This cell did not end in time."],
            },
            raise_on_iopub_timeout=True,
            iopub_timeout=4,
            startup_timeout=30,
            store_widget_state=False,
            output_bytes=self.outputs_left,
        )
        self.client.reset_execution_trackers()
        await self.client.async_start_new_kernel()
        await self.client.async_start_new_kernel_client()
        ready = self._read(self.provisioner.channel, "ready", 30)
        # A test that imports what the sandbox lacks would otherwise fail every learner.
        failed = [
            f for f in (ready or {"failed": ["no answer"]})["failed"] if f.startswith(("no", *self._pristine_imports()))
        ]
        if failed:
            raise SandboxError(f"the kernel cannot import what the tests need: {'; '.join(failed)}")
        for index, cell in enumerate(self.result.notebook.cells[:upto]):
            if cell.cell_type == "code" and not is_test(cell) and index not in self.deadly and cell.source.strip():
                self.client.timeout = self.settings.cell_timeout
                copy = from_dict({**cell, "outputs": []})
                await self.client.async_execute_cell(copy, index)

    def _pristine_imports(self) -> tuple[str, ...]:
        packages = self.settings.pristine
        return tuple(f"{word} {package}" for word in ("import", "from") for package in packages)

    async def _end_kernel(self) -> None:
        if self.client is None:
            return
        self._measure()
        self.flooded |= self.client.flooded
        self.outputs_left = max(0, self.outputs_left - self.client.printed)
        client, self.client = self.client, None
        await self.provisioner.kill()
        await self.provisioner.wait()
        await self.provisioner.cleanup()
        if client.kc is not None:
            client.kc.stop_channels()
        await client.km._async_cleanup_resources()

    def _account(self) -> None:
        self.flooded |= self.client.flooded

    def _measure(self) -> None:
        cpu, memory = self.provisioner.usage()
        self.result.cpu_s += cpu
        self.result.memory_mb = max(self.result.memory_mb, memory)


def _visible_line(source: str, number: int) -> str | None:
    """Return the line of a test that failed, marked as in a traceback, unless it stands in a hidden region."""
    lines = source.split("\n")
    if not 0 < number <= len(lines):
        return None
    before = lines[:number]
    begun = sum("BEGIN HIDDEN TESTS" in line for line in before)
    ended = sum("END HIDDEN TESTS" in line for line in before)
    return None if begun > ended else f"----> {number} {lines[number - 1].strip()}"
