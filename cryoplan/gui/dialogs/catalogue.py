"""Catalogue: every probe with its numbers and sources, its ice in gel beside the published, and the stock."""

from __future__ import annotations

from html import escape
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMessageBox,
    QPushButton,
    QSizePolicy,
    QTabWidget,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from cryoplan import RESEARCH_USE
from cryoplan.app.workspace import Workspace
from cryoplan.core.errors import CryoplanError
from cryoplan.gui.dialogs.catalogue_form import ProbeForm
from cryoplan.gui.parts import Text, indicator_style, tone_colour
from cryoplan.gui.words import say
from cryoplan.plan.own_probes import copy_of, delete_model, export_model, import_model, own_folder, save_model
from cryoplan.plan.probe import ProbeModel
from cryoplan.plan.stock import Stock, load_stock, with_stocked, write_stock
from cryoplan.simulation.verification.gel import GelShape
from cryoplan.workflow import gel_shapes
from cryoplan.workflow.probe_table import LABELS, number_words, numbers_of, stock_words

ID = Qt.ItemDataRole.UserRole
LIST_WIDTH = 250
FILES = "Probe files (*.toml)"


class CatalogueDialog(QDialog):
    """The catalogue; a change is made at once, and a result that rests on it is out of date then."""

    def __init__(self, workspace: Workspace, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(say("Probe catalogue"))
        self.setModal(False)
        self.resize(1020, 640)
        self._workspace = workspace
        self._stock: Stock = load_stock()
        self._shapes: dict[str, GelShape] = {}
        self._asked: ProbeModel | None = None
        self._fill_from_here = False
        self._build()
        self._place()
        self.finished.connect(self.deleteLater)
        workspace.shape_solved.connect(self._take_shape)
        workspace.look_at_catalogue()
        self._fill()

    def _build(self) -> None:
        self.list = QListWidget()
        self.list.setAccessibleName(say("Probes; ticked ones are in stock"))
        self.list.setFixedWidth(LIST_WIDTH)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentItemChanged.connect(self._choose)
        self.list.itemChanged.connect(self._tick)
        self.keep_stock = QCheckBox(say("Keep a stock list"))
        self.keep_stock.setToolTip(
            say("Probes in stock are offered first; a plan with others gets a warning")
        )
        self.keep_stock.clicked.connect(self._keep_stock)
        self.stock_line = Text("", "muted", wrap=True, scale=0.93)
        self.head = Text("", bold=True, scale=1.2, wrap=True)
        self.facts = Text("", "muted", wrap=True)
        self.picture = Scaled("Longitudinal section of the solved ice, the published size dashed")
        self.words = Text("", wrap=True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.conditions = Text("", "muted", wrap=True, scale=0.93)
        self.numbers = QTextBrowser()
        self.numbers.setAccessibleName(say("Numbers of the probe with their sources"))
        self.said = Text("", "muted", wrap=True)
        self.copy = self._button("&Copy...", "Make a probe of your own from this one", self._copy)
        self.edit = self._button("&Edit...", "Change your own probe", self._edit)
        self.delete = self._button("&Delete...", "Delete your own probe", self._delete)
        self.taken = self._button("&Import...", "Add a probe file to your own", self._import)
        self.given = self._button("E&xport...", "Write this probe as a file for others", self._export)
        self.save_picture = self._button(
            "Save &picture...", "Write the picture as PNG or SVG", self._save_picture
        )
        self.close_button = self._button("Close", "", self.reject)

    def _button(self, text: str, tip: str, call) -> QPushButton:
        button = QPushButton(say(text))
        button.setToolTip(say(tip))
        button.setAutoDefault(False)
        button.clicked.connect(call)
        return button

    def _place(self) -> None:
        left = QVBoxLayout()
        left.addWidget(self.list, 1)
        left.addWidget(self.keep_stock)
        left.addWidget(self.stock_line)
        self.setStyleSheet(indicator_style())
        ice = QWidget()
        column = QVBoxLayout(ice)
        column.setContentsMargins(0, 6, 0, 0)
        column.addWidget(self.picture, 1)
        column.addWidget(self.words)
        column.addWidget(self.conditions)
        self.tabs = QTabWidget()
        self.tabs.setAccessibleName(say("What is shown of the probe"))
        self.tabs.addTab(ice, say("Ice in gel"))
        self.tabs.addTab(self.numbers, say("Numbers and sources"))
        right = QVBoxLayout()
        right.addWidget(self.head)
        right.addWidget(self.facts)
        right.addWidget(self.tabs, 1)
        row = QHBoxLayout()
        row.addLayout(left)
        row.addLayout(right, 1)
        buttons = QHBoxLayout()
        for button in (self.copy, self.edit, self.delete, self.taken, self.given, self.save_picture):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.close_button)
        whole = QVBoxLayout(self)
        whole.addLayout(row, 1)
        whole.addWidget(self.said)
        whole.addLayout(buttons)
        whole.addWidget(Text(f"{RESEARCH_USE}.", "muted", scale=0.93))

    # What is shown ------------------------------------------------------------------------------------

    @property
    def model(self) -> ProbeModel | None:
        """The chosen probe."""
        item = self.list.currentItem()
        return None if item is None else self._workspace.catalogue.get(str(item.data(ID)))

    def _fill(self, choose: str = "") -> None:
        choose = choose or (self.model.id if self.model is not None else self._used())
        catalogue = self._workspace.catalogue
        self._stock = load_stock()
        keeps = self._stock.models is not None
        may_tick = keeps and not self._stock.locked
        self._fill_from_here = True
        self.list.clear()
        # By id and not by stock: a row must not jump away under the tick.
        for model in catalogue.models:
            stocked = self._stock.has(model.id)
            own = " (own)" if model.id in catalogue.own and "(own" not in model.name else ""
            away = "" if stocked else ", not in stock"
            item = QListWidgetItem(say(f"{model.name}{own}{' *' if model.is_guess else ''}{away}"))
            item.setData(ID, model.id)
            item.setToolTip(say(f"{model.id}{'; partly a guess' if model.is_guess else ''}"))
            if keeps:
                flags = item.flags() | Qt.ItemFlag.ItemIsUserCheckable
                item.setFlags(flags if may_tick else flags & ~Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Checked if stocked else Qt.CheckState.Unchecked)
            if not stocked:
                item.setForeground(tone_colour("muted"))
            self.list.addItem(item)
        self._fill_from_here = False
        self.keep_stock.setChecked(keeps)
        self.keep_stock.setEnabled(not self._stock.locked and not self._stock.fault)
        self.stock_line.say(stock_words(self._stock), "warn" if self._stock.fault else "muted")
        row = next((n for n in range(self.list.count()) if self.list.item(n).data(ID) == choose), 0)
        self.list.setCurrentRow(row)
        left_out = " ".join(finding.text for finding in catalogue.findings)
        if left_out:
            self.said.say(left_out, "warn")

    def _used(self) -> str:
        probes = self._workspace.plan.probes
        return probes[0].model if probes else "generic-15g"

    @Slot()
    def _choose(self) -> None:
        model = self.model
        if self._fill_from_here or model is None:
            return
        is_own = model.id in self._workspace.catalogue.own
        self.edit.setEnabled(is_own)
        self.delete.setEnabled(is_own)
        self.head.say(model.name)
        parts = [
            model.vendor,
            f"{model.gauge} gauge" if model.gauge[:1].isdigit() else model.gauge,
            model.coolant,
        ]
        kind = "your own probe" if is_own else "built in"
        guess = "; * geometry or heat exchange is a guess" if model.is_guess else ""
        self.facts.say(" · ".join([*(p for p in parts if p), f"{model.id}, {kind}{guess}"]))
        self.numbers.setHtml(numbers_html(model))
        self._show_ice(model)

    def _show_ice(self, model: ProbeModel) -> None:
        self.save_picture.setEnabled(False)
        if model.is_warmer:
            self._without_picture("A warmer makes no ice.")
            return
        try:
            shape = self._shapes.get(gel_shapes.gel_key(model)) or gel_shapes.shipped_shape(model)
        except CryoplanError as error:
            self._without_picture(str(error))
            return
        if shape is None:
            self._without_picture("It is being frozen in gel in the background; this takes some seconds.")
            if self._asked != model:
                self._asked = model
                self._workspace.request_shape(model)
            return
        self.save_picture.setEnabled(True)
        self.picture.show_png(gel_shapes.draw_bare(model, shape))
        self.words.say("\n".join(gel_shapes.size_words(model, shape)))
        how = gel_shapes.trial(model)
        said = [gel_shapes.conditions_words(model), how.conditions, how.use, how.source]
        self.conditions.say(". ".join(text[0].upper() + text[1:] for text in said if text) + ".")

    def _without_picture(self, why: str) -> None:
        self.picture.say(why)
        self.words.say("")
        self.conditions.say("")

    @Slot(object, object)
    def _take_shape(self, model: ProbeModel, shape: GelShape | None) -> None:
        if self._asked == model:
            self._asked = None
        if shape is not None:
            self._shapes[shape.key] = shape
        if model == self.model:
            if shape is None:
                self._without_picture("The probe was not solved. Choose it again to repeat.")
            else:
                self._show_ice(model)

    # What is done -------------------------------------------------------------------------------------

    @Slot(QListWidgetItem)
    def _tick(self, item: QListWidgetItem) -> None:
        if self._fill_from_here or self._stock.models is None:
            return
        stocked = item.checkState() == Qt.CheckState.Checked
        self._write_stock(with_stocked(load_stock(), [str(item.data(ID))], stocked))

    @Slot(bool)
    def _keep_stock(self, keep: bool) -> None:
        # A new list begins with everything, so that nothing is warned of before somebody has said so.
        self._write_stock(frozenset(self._workspace.catalogue) if keep else None)

    def _write_stock(self, models: frozenset[str] | None) -> None:
        self._try(lambda: write_stock(load_stock(), models))

    @Slot()
    def _copy(self) -> None:
        if self.model is not None:
            self._open_form(copy_of(self.model, self._workspace.catalogue), is_new=True)

    @Slot()
    def _edit(self) -> None:
        if self.model is not None:
            self._open_form(self.model, is_new=False)

    def _open_form(self, start: ProbeModel, *, is_new: bool) -> None:
        form = ProbeForm(start, frozenset(self._workspace.catalogue), is_new=is_new, parent=self)
        form.accepted.connect(lambda: self.take_form(form, is_new=is_new))
        form.finished.connect(form.deleteLater)
        form.open()

    def take_form(self, form: ProbeForm, *, is_new: bool) -> None:
        """Keep what a form holds."""
        model = form.model
        if model is None:
            return
        catalogue = self._workspace.catalogue
        self._try(
            lambda: save_model(model, catalogue, own_folder(), overwrite=not is_new),
            choose=model.id,
            done=f"{model.name} is saved.",
        )

    @Slot()
    def _delete(self) -> None:
        model = self.model
        if model is None:
            return
        answer = QMessageBox.question(
            self,
            say("Delete probe"),
            say(f"Delete {model.name}? Cases that use it cannot be opened until it is imported again."),
            QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel,
            QMessageBox.StandardButton.Cancel,
        )
        if answer == QMessageBox.StandardButton.Yes:
            plan = self._workspace.plan
            self._try(
                lambda: delete_model(model.id, self._workspace.catalogue, own_folder(), plan=plan),
                done=f"{model.name} is deleted.",
            )

    @Slot()
    def _import(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, say("Import a probe"), "", say(FILES))
        if name:
            self.import_file(Path(name))

    def import_file(self, path: Path) -> None:
        """Add a probe file; where its id is one of the user's, ask whether to replace that probe."""
        catalogue, overwrite = self._workspace.catalogue, False
        if path.stem in catalogue.own:
            answer = QMessageBox.question(
                self,
                say("Import probe"),
                say(f"You have a probe {path.stem}. Replace it?"),
                QMessageBox.StandardButton.Yes | QMessageBox.StandardButton.Cancel,
                QMessageBox.StandardButton.Cancel,
            )
            if answer != QMessageBox.StandardButton.Yes:
                return
            overwrite = True
        self._try(
            lambda: import_model(path, catalogue, own_folder(), overwrite=overwrite),
            choose=path.stem,
            done=f"{path.name} is imported.",
        )

    @Slot()
    def _export(self) -> None:
        model = self.model
        if model is None:
            return
        name, _ = QFileDialog.getSaveFileName(self, say("Export the probe"), say(f"{model.id}.toml"), FILES)
        if name:
            # The file dialog has asked about a file that is there.
            self._try(
                lambda: export_model(model.id, self._workspace.catalogue, Path(name), overwrite=True),
                done=f"Wrote {Path(name).name}.",
            )

    @Slot()
    def _save_picture(self) -> None:
        model = self.model
        if model is None:
            return
        shape = self._shapes.get(gel_shapes.gel_key(model)) or gel_shapes.shipped_shape(model)
        name, _ = QFileDialog.getSaveFileName(
            self, say("Save the picture"), say(f"{model.id}.png"), say("Pictures (*.png *.svg)")
        )
        if name and shape is not None:
            self._try(
                lambda: gel_shapes.write_picture(model, shape, Path(name)), done=f"Wrote {Path(name).name}."
            )

    def _try(self, work, *, choose: str = "", done: str = "") -> None:
        """Do something, say how it went, and show the catalogue as it is then."""
        self.said.say("")
        try:
            work()
        except CryoplanError as error:
            self._follow(choose="")
            self.said.say(str(error), "fail")
            return
        self._follow(choose=choose)
        if done:
            self.said.say(done, "muted")

    def _follow(self, choose: str) -> None:
        self._workspace.look_at_catalogue()
        self._fill(choose)


class Scaled(QLabel):
    """A picture as large as fits, or a sentence in its place."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._whole = QPixmap()
        self.setAccessibleName(say(name))
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWordWrap(True)
        self.setMinimumSize(QSize(240, 140))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)

    def show_png(self, data: bytes) -> None:
        """Show a picture."""
        self._whole.loadFromData(data)
        self._fit()

    def say(self, text: str) -> None:
        """Show a sentence."""
        self._whole = QPixmap()
        self.setText(say(text))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the picture again."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if not self._whole.isNull():
            ratio = self.devicePixelRatioF()
            fitted = self._whole.scaled(
                self.size() * ratio,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            fitted.setDevicePixelRatio(ratio)
            self.setPixmap(fitted)


def numbers_html(model: ProbeModel) -> str:
    """Return the numbers as a table: what, how much, how it is known and where it is from."""
    guess = tone_colour("warn").name()
    rows = []
    for key, number in numbers_of(model):
        style = f' style="color:{guess}"' if number.is_guess else ""
        rows.append(
            f"<tr><td>{escape(LABELS[key])}</td><td{style}>{escape(number_words(number))}</td>"
            f"<td>{escape(number.how)}</td><td>{escape(number.source)}</td></tr>"
        )
    said = "".join(f"<p>{escape(text)}</p>" for text in (model.note, model.calibration) if text)
    heads = ("Number", "Value (range)", "How", "Source")
    head = "".join(f"<th align=left>{word}</th>" for word in heads)
    return f"{said}<table cellspacing=0 cellpadding=4><tr>{head}</tr>{''.join(rows)}</table>"
