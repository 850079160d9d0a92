import { startArms } from "./arms.js";
import { startCopying } from "./copying.js";
import { get } from "./dom.js";
import { refreshArms, refreshCurves, refreshFilm, repaint, startMenus } from "./drawing.js";
import { startFilms } from "./film.js";
import { startPrinting } from "./printing.js";
import { startSaving } from "./saving.js";
import { startDrawing } from "./scheduling.js";
import { startSwitches } from "./switches.js";
import { startTable } from "./table.js";
import { startTables } from "./tables.js";
import { startTheme } from "./theme.js";
import { canUnpack, loadPlotly } from "./unpacking.js";

/** Unpack plotly.js and draw the figures with it, or say why that can't be. */
async function startFigures() {
  if (!canUnpack()) {
    get("#too-old").hidden = false;
  } else if (!(await loadPlotly())) {
    get("#no-library").hidden = false;
  } else {
    startArms(refreshArms);
    startSwitches(refreshCurves);
    startMenus();
    startFilms(refreshFilm);
    startSaving();
    startDrawing();
    startPrinting();
  }
}

// tables and texts need no figures: they work first
startTable();
startTables();
startCopying();
startTheme(repaint);
startFigures();
