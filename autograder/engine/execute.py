"""Run one submitted notebook in a sandboxed kernel, test by test, and report what the grader saw.

Learners' cells run as in any notebook. Tests go through the gate, and only its signed answers
decide about points: whatever else a test cell seems to have put out as an error or a result is dropped.
"""

import copy
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell

from autograder.engine.cells import LONGEST, TOO_LONG, has_strange_coding
from autograder.engine.channel import Channel, Tampered
from autograder.engine.client import Client
from autograder.engine.compiled import compiled, compiled_test
from autograder.engine.plan import Plan, is_test
from autograder.engine.process import KernelProcess
from autograder.engine.sandbox import Limits, SandboxError
from autograder.engine.screen import operators, repeated, screen, special_methods, unpickled
from autograder.engine.source import HIDDEN_REGION, bindings_of, plain_test, shows_result
from autograder.engine.suspicious import WRITTEN_OUT
from autograder.engine.warm import KernelRequest, WarmProcess
from autograder.outputs import IN_ANSWER, IN_HIDDEN, texts_in

# After so many cells that ended their kernels a submission is not worth another.
_MAX_KERNELS = 4
_VERDICT_WAIT = 5.0
_START_WAIT = 30
# Seconds for a cell that does nothing.
_ANSWER_WAIT = 4
# A test that replaces something for a moment itself, to see whether an answer calls it.
_REPLACES = re.compile(
    r"\b(forbidden|setattr|delattr|patch|mock|set_default_\w+)\b|^\s*\w+(\.\w+)+\s*=[^=]", re.MULTILINE
)
# More output than this many times the limit is not an honest cell any more.
_FLOOD = 20


@dataclass(frozen=True)
class Settings:
    """Limits of one submission."""

    cell_timeout: int = 120
    notebook_timeout: int = 600
    output_bytes: int = 10_000_000
    limits: Limits = field(default_factory=Limits)
    pristine: tuple[str, ...] = ("dlcourse",)
    # As nbgrader: no points for a test that writes to stderr, and the same limit for every cell.
    stock_rules: bool = False


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
    return _Run(notebook, plan, warm, settings, work).run()


class _Run:
    """One submission on its way through one kernel, or a few if cells of it kill theirs."""

    def __init__(
        self, notebook: NotebookNode, plan: Plan, warm: WarmProcess, settings: Settings, work: Path | None
    ) -> None:
        self.plan, self.warm, self.settings, self.work = plan, warm, settings, work
        self.result = Execution(notebook)
        self.client: Client | None = None
        self.process: KernelProcess | None = None
        self.deadly: set[int] = set()
        self.outputs_left = settings.output_bytes
        self.flooded = False
        # Arithmetic of the learner's own classes, of which the gate notices whether a test relies on it.
        self.operators: list[str] = []
        # Methods that stand in a text: a class that was made without one is noticed by the gate.
        self.methods: list[str] = []
        # Characters of modules beside the notebook and of texts for libraries.
        self.to_read = LONGEST
        self.ran_over = False
        self.killed_for: str | None = None
        self.reserve = float(settings.cell_timeout)
        # What the gate said about each test cell, whatever later messages make of the cell.
        self.verdicts: dict[int, list[NotebookNode]] = {}

    def run(self) -> Execution:
        started = time.monotonic()
        self.deadline = started + (float("inf") if self.settings.stock_rules else self.settings.notebook_timeout)
        cells = self.result.notebook.cells
        learner = [c.source for c in cells if c.cell_type == "code" and not is_test(c)]
        self.result.needs_human += screen(learner, self.plan.code)
        self.operators = operators(learner, self.plan.code)
        self.methods = [*special_methods(learner), *special_methods(self.plan.code)]
        try:
            for index, cell in enumerate(cells):
                if cell.cell_type != "code":
                    continue
                cell.outputs, cell.execution_count = [], None
                if not cell.source.strip() and not is_test(cell):
                    continue
                self._run_cell(index, cell)
        finally:
            self._end_kernel()
        for index, outputs in self.verdicts.items():
            cells[index].outputs = outputs
        own = [c for c in cells if c.cell_type == "code" and not is_test(c)]
        for cell in own:
            if self._repeats(cell.outputs):
                self._suspect("the output of a cell repeats a hidden test")
                cell.outputs = []
        for cell in filter(is_test, cells):
            # A function that prints what it was passed before is no attack.
            cell.outputs = [kept for output in cell.outputs if (kept := self._without_secrets(cell, output))]
        if self.flooded:
            self.result.remarks.append(
                f"printed more than {self.settings.output_bytes // 1_000_000} MB; the rest was dropped"
            )
        self.result.wall_s = time.monotonic() - started
        return self.result

    def _run_cell(self, index: int, cell: NotebookNode) -> None:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", f"cell {index + 1}")
        verdict = None
        for again in (False, True):
            left = self.deadline - time.monotonic()
            if left <= 0 or len(self.deadly) >= _MAX_KERNELS:
                reason = "the notebook ran out of time" if left <= 0 else "too many cells ended the kernel"
                if reason not in self.result.remarks:
                    self.result.remarks.append(reason)
                self._fail(cell, "NotRun", f"This cell was not run: {reason}.")
                return
            try:
                if self.client is None:
                    self._start_kernel(upto=index)
                begun = time.monotonic()
                in_time, verdict = self._execute(index, cell, max(1.0, min(self._cell_limit(), left)))
                timed_out = not in_time
                self.ran_over |= timed_out
                self.reserve -= max(0.0, time.monotonic() - begun - self.settings.cell_timeout)
                break
            except (DeadKernelError, CellTimeoutError) as error:
                self._end_kernel()
                if self.killed_for is not None:
                    what, self.killed_for = self.killed_for, None
                    self.deadly.add(index)
                    self.result.remarks.append(f"{name} {what}")
                    self._fail(cell, type(error).__name__, f"This cell {what}.")
                    return
                if isinstance(error, DeadKernelError) and not again:
                    # A kernel may be killed from outside, for want of memory say: only what happens twice
                    # is the cell's doing.
                    cell.outputs = []
                    continue
                # A cell that ends the kernel, or cannot be interrupted, costs itself and nobody else.
                self.deadly.add(index)
                what = "ran out of time" if isinstance(error, CellTimeoutError) else "ended the kernel"
                self.ran_over |= isinstance(error, CellTimeoutError)
                self.result.remarks.append(f"{name} {what}")
                self._fail(cell, type(error).__name__, f"This cell {what}.")
                return
        if timed_out:
            self.result.remarks.append(f"{name} ran out of time")
            if not self._still_answers():
                # What a cell has left in the kernel, or taken away, may keep all cells after it from running.
                self._end_kernel()
                self.deadly.add(index)
                if self.killed_for is not None:
                    self.result.remarks.append(f"{name} {self.killed_for}")
                    self.killed_for = None
        if is_test(cell):
            self._judge(cell, verdict, timed_out)
            # A later cell may update an output by its id: not one whose place is another's now.
            if self.client is not None:
                self.client.clear_display_id_mapping(index)
            self.verdicts[index] = copy.deepcopy(cell.outputs)

    def _still_answers(self) -> bool:
        """Return whether the kernel, whose last cell was interrupted, runs another one."""
        try:
            return self.client.run_cell(new_code_cell("pass"), 0, _ANSWER_WAIT)
        except (DeadKernelError, CellTimeoutError):
            return False

    def _cell_limit(self) -> float:
        """Seconds for the next cell: a slow one may use a reserve, and what never ends does not cost the rest."""
        limit = self.settings.cell_timeout
        if self.settings.stock_rules:
            return limit
        return max(limit / 4, min(limit, 10)) if self.ran_over else limit + max(0.0, self.reserve)

    def _look_after(self) -> None:
        """End the kernel when the submission, all its processes taken together, goes beyond a limit.

        The operating system limits each process; only the sum is looked after here.
        """
        if self.killed_for is not None:
            return
        reason = None
        if self.process.held_mb() > self.settings.limits.memory_mb:
            reason = f"used more than {self.settings.limits.memory_mb} MB of memory"
        elif self.client.printed > _FLOOD * self.settings.output_bytes:
            reason = f"printed more than {_FLOOD * self.settings.output_bytes // 1_000_000} MB and was ended"
        elif time.monotonic() > self.deadline + 10:
            reason = "did not end with the notebook's time"
        if reason is not None:
            self.killed_for = reason
            self.process.kill()

    def _execute(self, index: int, cell: NotebookNode, limit: float) -> tuple[bool, dict | None]:
        """Run one cell; return whether it ended in time and, for a test, the gate's verdict."""
        client, channel = self.client, self.process.channel
        if not is_test(cell):
            in_time = client.run_cell(cell, index, limit)
            self._read(channel, None, 0)
            return in_time, None
        source, ticket = cell.source, f"{index}"
        names = sorted(self.plan.names)
        try:
            functions = self.plan.given.functions
            constants, classes = self.plan.given.relied_on(source)
            plan = {"names": names, "given": compiled(functions) or functions}
            plan |= {"constants": constants, "classes": classes}
            plan |= {key: sorted(getattr(self.plan, key)) for key in ("own", "answers", "changing", "private")}
            plan |= {"binds": sorted(bindings_of(source)), "watched": self.operators}
            plan |= {"replaces": _REPLACES.search(source) is not None}
            plan |= {"methods": sorted(WRITTEN_OUT.difference(self.methods))}
            channel.send({"id": ticket, "source": compiled_test(source) or plain_test(source), **plan})
        except ConnectionError:
            self._channel_lost()
            return True, None
        # The test itself travels over the channel only: what Jupyter carries can be read in the kernel.
        cell.source = "pass"
        try:
            in_time = client.run_cell(cell, index, limit)
        finally:
            cell.source = source
        try:
            return in_time, self._read(channel, ticket, _VERDICT_WAIT)
        except EOFError:
            self._channel_lost()
            return in_time, None

    def _channel_lost(self) -> None:
        """Tell a kernel that was killed from one in which learner code closed the channel."""
        # A process that is killed loses its descriptors a moment before its end can be seen.
        time.sleep(0.5)
        if not self.process.alive():
            raise DeadKernelError("the kernel was killed")
        self._suspect("the private channel was closed")

    def _read(self, channel: Channel, ticket: str | None, wait: float) -> dict | None:
        """Read what the gate has sent; return the verdict for `ticket`, if it is there."""
        verdict = None
        try:
            while (message := channel.receive(wait if ticket and verdict is None else 0)) is not None:
                if "tampering" in message:
                    self._suspect(message["tampering"])
                elif "pickled" in message:
                    finding = unpickled(*message["pickled"].rsplit(" ", 1))
                    if finding is not None or message["cut"]:
                        self._suspect(finding or "a pickle with a long name")
                elif "code" in message:
                    # A module beside the notebook, or a text that a library evaluates.
                    # Each costs a little time, however short it is.
                    self.to_read -= len(message["code"]) + 40
                    if self.to_read < 0:
                        self._suspect(f"the code {TOO_LONG}")
                        continue
                    if has_strange_coding(message["code"]):
                        self._suspect("the code has a coding of its own")
                    for finding in screen([message["code"]], self.plan.code):
                        self._suspect(finding)
                    self.methods += special_methods([message["code"]])
                    self.operators = sorted({*self.operators, *operators([message["code"]], self.plan.code)})
                    if message["cut"]:
                        self._suspect("a module is too long to read")
                elif message.get("id") == ticket and verdict is None:
                    verdict = message
        except Tampered as error:
            self._suspect(str(error))
        except (EOFError, ConnectionError):
            # The kernel is gone, or learner code closed the descriptor.
            if ticket and verdict is None:
                raise EOFError from None
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
            if output.output_type == "stream" and not self.settings.stock_rules:
                output.name = "stdout"
        for changed in verdict["changed"] if verdict is not None else ():
            self._suspect(f"{changed} was replaced")
        for method in verdict["made"] if verdict is not None else ():
            self._suspect(f"a class was made whose {method} stands in no text")
        for method in verdict["answers"] if verdict is not None else ():
            self._suspect(f"a test relies on the method {method} of a learner's class")
        if timed_out:
            self._fail(cell, "CellTimeoutError", "This test did not end in time.")
            return
        if verdict is None:
            self._suspect(f"{name} gave no verdict")
            self._fail(cell, "NoVerdict", "This test was prevented from reporting its result.")
            return
        if verdict["status"] == "passed":
            self.result.passed[name] = True
            if verdict["result"] is not None and shows_result(cell.source):
                data = {"text/plain": verdict["result"]}
                count = cell.execution_count
                cell.outputs.append(_output("execute_result", data=data, metadata={}, execution_count=count))
            return
        text = f"{verdict['ename']}: {verdict['evalue']}" if verdict["evalue"] else verdict["ename"]
        where = _visible_line(cell.source, verdict["lines"])
        if where is None and HIDDEN_REGION.search(cell.source):
            # What the learner's code says there may tell what the test gave it.
            said = verdict["raised"] or not verdict["kind"].endswith(("CheckError", "AssertionError"))
            where = IN_HIDDEN if said and not verdict["in_answer"] else IN_ANSWER
            # So may the name of a class of the learner's own.
            self._fail(cell, verdict["kind"], verdict["evalue"], [where, f"{verdict['kind']}: {verdict['evalue']}"])
            return
        self._fail(cell, verdict["ename"], verdict["evalue"], [where, text] if where else [text])

    def _repeats(self, outputs: list[NotebookNode]) -> bool:
        texts = [text for output in outputs for text in texts_in(output)]
        return bool(repeated(texts, self.plan.hidden_parts, self.plan.visible_code))

    def _without_secrets(self, cell: NotebookNode, output: NotebookNode) -> NotebookNode | None:
        """Return what may be shown of an output of a test; feedback.py leaves out what belongs to its hidden part."""
        is_error = output.output_type == "error"
        is_left_out = bool(HIDDEN_REGION.search(cell.source))
        if is_error:
            is_left_out = bool(output.traceback) and output.traceback[0] in (IN_HIDDEN, IN_ANSWER)
        if is_left_out or not self._repeats([output]):
            return output
        if not is_error:
            return None
        lines = [*output.traceback[:-1], output.ename]
        return _output("error", ename=output.ename, evalue="", traceback=lines)

    def _fail(self, cell: NotebookNode, ename: str, evalue: str, traceback: list[str] | None = None) -> None:
        lines = traceback or [f"{ename}: {evalue}"]
        cell.outputs = [o for o in cell.get("outputs", []) if o.output_type != "error"]
        cell.outputs.append(_output("error", ename=ename, evalue=evalue, traceback=lines))
        if is_test(cell):
            self.result.passed[cell.metadata.nbgrader.grade_id] = False

    def _start_kernel(self, upto: int) -> None:
        """Start a kernel and bring it to where the last one died, without the cells that killed it."""
        plan, settings = self.plan, self.settings
        request = KernelRequest(settings.limits, self.work, plan.imports, settings.pristine)
        self.process = KernelProcess(self.warm, request)
        self.process.start()
        try:
            # The gate is open before the kernel takes cells.
            ready = self._read(self.process.channel, "ready", _START_WAIT)
            self.client = Client(self.result.notebook, self.process, self.outputs_left, self._look_after)
            self.client.wait_for_ready(_START_WAIT)
        except EOFError as error:
            raise SandboxError(f"a new kernel ended at once: {error}") from error
        # A test that imports what the sandbox lacks would otherwise fail every learner.
        failed = [
            f for f in (ready or {"failed": ["no answer"]})["failed"] if f.startswith(("no", *self._pristine_imports()))
        ]
        if failed:
            raise SandboxError(f"the kernel cannot import what the tests need: {'; '.join(failed)}")
        for index, cell in enumerate(self.result.notebook.cells[:upto]):
            if cell.cell_type == "code" and not is_test(cell) and index not in self.deadly and cell.source.strip():
                left = self.deadline - time.monotonic()
                again = from_dict({**cell, "outputs": []})
                self.client.run_cell(again, index, max(1.0, min(self.settings.cell_timeout, left)))

    def _pristine_imports(self) -> tuple[str, ...]:
        packages = self.settings.pristine
        return tuple(f"{word} {package}" for word in ("import", "from") for package in packages)

    def _end_kernel(self) -> None:
        process, client = self.process, self.client
        self.process = self.client = None
        if client is not None:
            self.flooded |= client.flooded
            self.outputs_left = max(0, self.outputs_left - client.printed)
        if process is not None:
            cpu, memory = process.usage()
            self.result.cpu_s += cpu
            self.result.memory_mb = max(self.result.memory_mb, memory)
            process.kill()
            process.wait()
            process.cleanup()


def _output(kind: str, **content: object) -> NotebookNode:
    # Not by nbformat's function for new outputs, which looks whether each is valid: these are.
    return from_dict({"output_type": kind, **content})


def _visible_line(source: str, numbers: list[int]) -> str | None:
    """Return the line of a test that failed, marked as in a traceback, unless it was reached through a hidden region.

    Args:
        source: the test.
        numbers: the lines that the exception came through, the innermost last.
    """
    lines = source.split("\n")
    if not numbers or any(not 0 < number <= len(lines) or _is_hidden(lines[:number]) for number in numbers):
        return None
    return f"----> {numbers[-1]} {lines[numbers[-1] - 1].strip()}"


def _is_hidden(before: list[str]) -> bool:
    begun = sum("BEGIN HIDDEN TESTS" in line for line in before)
    return begun > sum("END HIDDEN TESTS" in line for line in before)
