"""Outcome of a training: metrics, report, model and card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from liverseg_gui.core.parsing import parse_json
from liverseg_gui.core.progress import Progress
from liverseg_gui.evaluation.case_metrics import CaseMetrics
from liverseg_gui.evaluation.report.html import write_evaluation_report
from liverseg_gui.evaluation.summary import summarize
from liverseg_gui.segmentation.predictor import Predictor
from liverseg_gui.segmentation.runtime.base import TorchRuntime, pick_device
from liverseg_gui.system.atomic_write import write_text
from liverseg_gui.system.regular_file import read_text
from training.data.case import CaseSource
from training.evaluation.evaluate_model import evaluate_held_out
from training.evaluation.worst_slices_file import save_worst
from training.export.model_card import make_card
from training.export.weights import export_model
from training.runs.files import HELD_OUT, LOG, MODEL, REPORT, WORST
from training.runs.observer import TrainingObserver
from training.runs.training_job import TrainingJob


@dataclass(frozen=True)
class Outcome:
    """What is written once a network is trained: figures of the `unseen` cases, model and card."""

    job: TrainingJob
    command: str
    unseen: Sequence[CaseSource]
    known: Sequence[CaseSource]
    observer: TrainingObserver

    def write(self, network: nn.Module, progress: Progress) -> list[CaseMetrics]:
        """Evaluate `network`, and write it with its card."""
        job, config = self.job, self.job.config
        liver_view_size = config.liver.of_trunk if config.liver else None
        runtime = TorchRuntime(network, pick_device(config.device))
        predictor = Predictor(runtime, config.trunk.size, liver_view_size)
        results = self._evaluate(predictor, progress) if self.unseen else []
        rows = [result.to_json() for result in results]
        card = make_card(job.name, config, self.command, self._trained_on, rows, job.notes)
        export_model(network, job.out / MODEL, card)
        self.observer.model(job.out / MODEL)
        return results

    @property
    def _trained_on(self) -> list[str]:
        return [source.name for source in self.known]

    def _evaluate(self, predictor: Predictor, progress: Progress) -> list[CaseMetrics]:
        """Evaluate the held-out patients and write all figures, and a report for people."""
        job = self.job
        fingerprints = {source.name: source.fingerprint() for source in self.unseen}
        results, worst = evaluate_held_out(
            predictor,
            self.unseen,
            job.config,
            progress,
            self.observer.case,
            self.observer.works_on,
        )
        held_out = {
            "trained_on": self._trained_on,
            "cases": [result.to_json() for result in results],
            "fingerprints": fingerprints,
        }
        write_text(job.out / HELD_OUT, json.dumps(held_out, indent=1) + "\n")
        save_worst(job.out / WORST, worst, self.unseen)
        log = [parse_json(line) for line in read_text(job.out / LOG).splitlines()]
        title = f"{job.name}: held-out patients"
        summary = summarize(results)
        write_evaluation_report(job.out / REPORT, summary, title=title, log=log, worst=worst)
        return results
