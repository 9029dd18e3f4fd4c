//! A list of folders and model files to choose from, over the rest of the window.
//!
//! The system's own dialogs would bring a portal or a toolkit into the host's process; what is needed here is a list. A
//! path can also be typed or pasted.

use super::canvas::{Button, Canvas, columns, rows, take_bottom, take_top};
use super::model::{Action, ViewModel};
use egui::{
    Align, Align2, CursorIcon, Event, Id, Pos2, Rect, Role, Sense, Stroke, StrokeKind, Vec2, WidgetInfo,
};
use std::fs;
use std::path::{Path, PathBuf};

/// Extensions of files that are shown.
pub const EXTENSIONS: [&str; 2] = ["onnx", "tflite"];
/// Lines of the list that are shown at once.
const LINES: usize = 12;

/// Something that can be clicked.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    name: String,
    folder: bool,
}

/// An open list.
#[derive(Clone, Debug)]
struct Open {
    folder: PathBuf,
    /// What is in it, or why that cannot be said.
    entries: Result<Vec<Entry>, String>,
    /// First line that is shown.
    first: usize,
    /// What stands in the field for a path.
    typed: String,
}

impl Open {
    fn at(folder: &Path) -> Open {
        Open {
            folder: folder.to_path_buf(),
            entries: list(folder),
            first: 0,
            typed: folder.display().to_string(),
        }
    }
}

/// Folders first, then model files, each by name; hidden ones are left out.
fn list(folder: &Path) -> Result<Vec<Entry>, String> {
    let mut entries: Vec<Entry> = fs::read_dir(folder)
        .map_err(|error| format!("{} cannot be opened: {error}", folder.display()))?
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let folder = entry.path().is_dir();
            let model = is_model(&entry.path());
            (!name.starts_with('.') && (folder || model)).then_some(Entry { name, folder })
        })
        .collect();
    entries.sort_by_key(|entry| (!entry.folder, entry.name.to_lowercase()));
    Ok(entries)
}

fn is_model(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    EXTENSIONS.contains(&extension.as_str())
}

fn state_id() -> Id {
    Id::unique("model browser")
}

/// Identity of line `index` of the list.
pub fn line_id(index: usize) -> Id {
    state_id().with(index)
}

/// Identity of the field for a path.
pub fn path_id() -> Id {
    state_id().with("path")
}

/// Identity of the button that goes back to the built-in model.
pub fn built_in_id() -> Id {
    Id::unique("built-in model")
}

/// Identity of the button that opens the list.
pub fn own_id() -> Id {
    Id::unique("own model")
}

/// The choice between the built-in model and a file of the user's own: two buttons in `rect`.
pub fn choice(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let (colors, own) = (canvas.theme, model.own_model.as_ref());
    let places: Vec<Rect> = columns(rect, 2, canvas.px(5.0)).collect();
    let [built_in, file] = places[..] else { return };
    let look = Button::words(colors, "Built-in", "The model that comes with Idiom.", own.is_none());
    if canvas.button(built_in, built_in_id(), Button { size: 11.5, ..look }) && own.is_some() {
        canvas.actions.push(Action::BuiltInModel);
    }
    let name = own.map_or("A file of yours...", |own| own.name.as_str());
    let help = match own {
        None => {
            "Play a model of your own: an .onnx or .tflite file as docs/MODEL_FORMAT.md describes it.".into()
        }
        Some(own) => format!("{}\nSHA-256 {}\nClick to choose another file.", own.path.display(), own.sha256),
    };
    let look = Button::words(colors, name, &help, own.is_some());
    if canvas.button(file, own_id(), Button { size: 11.5, ..look }) {
        let folder = own.and_then(|own| own.path.parent()).filter(|folder| folder.is_dir());
        open(canvas, &folder.map_or_else(start, Into::into));
    }
}

/// Opens the list at a folder.
fn open(canvas: &mut Canvas<'_>, folder: &Path) {
    let open = Open::at(folder);
    canvas.ui.data_mut(|data| data.insert_temp(state_id(), Some(open)));
}

/// Draws the list while it is open, over everything before.
pub fn show(canvas: &mut Canvas<'_>) {
    let Some(mut open) = canvas.ui.data(|data| data.get_temp::<Option<Open>>(state_id())).flatten() else {
        return;
    };
    let colors = canvas.theme;
    let window = canvas.ui.ctx().content_rect();
    canvas.painter().rect_filled(window, 0.0, colors.background.gamma_multiply(0.8));
    let beside = canvas.touch(window, state_id().with("beside"), Sense::CLICK);
    let size = Vec2::new(canvas.px(620.0), canvas.px(470.0)).min(window.size() * 0.96);
    let panel = Rect::from_center_size(window.center(), size);
    canvas.touch(panel, state_id().with("panel"), Sense::CLICK);
    let radius = canvas.px(8.0);
    canvas.painter().rect_filled(panel, radius, colors.card);
    canvas.painter().rect_stroke(panel, radius, Stroke::new(1.0, colors.faint), StrokeKind::Inside);
    let mut inner = panel.shrink(canvas.px(16.0));
    let (gap, height) = (canvas.px(8.0), canvas.px(26.0));
    let title = take_top(&mut inner, canvas.px(18.0), gap);
    canvas.text(title.left_center(), Align2::LEFT_CENTER, "Choose a model", 15.0, colors.text);
    let hint = "an .onnx or .tflite file; a path may be typed or pasted";
    canvas.text(title.right_center(), Align2::RIGHT_CENTER, hint, 11.0, colors.faint);

    let line = take_top(&mut inner, height, gap);
    let up = Rect::from_min_size(line.min, Vec2::new(canvas.px(52.0), height));
    let home = up.translate(Vec2::new(up.width() + canvas.px(5.0), 0.0));
    let field = Rect::from_min_max(Pos2::new(home.max.x + gap, line.min.y), line.max);
    let (mut go, mut chosen): (Option<PathBuf>, Option<PathBuf>) = (None, None);
    if canvas.button(up, state_id().with("up"), Button::words(colors, "Up", "The folder above.", false)) {
        go = open.folder.parent().map(Path::to_path_buf);
    }
    if canvas.button(home, state_id().with("home"), Button::words(colors, "Home", "Your own folder.", false))
    {
        go = Some(start());
    }
    let typed = canvas.field(field, path_id(), &open.typed, "path of a model file", "Path");
    if let Some(text) = typed.text {
        open.typed = text;
    }
    if typed.enter {
        let path = PathBuf::from(open.typed.trim());
        if path.is_dir() { go = Some(path) } else { chosen = Some(path) }
    }

    let last_line = take_bottom(&mut inner, height, gap);
    let close =
        Rect::from_min_max(Pos2::new(last_line.max.x - canvas.px(90.0), last_line.min.y), last_line.max);
    let cancelled =
        canvas.button(close, state_id().with("cancel"), Button::words(colors, "Cancel", "", false))
            || typed.escape;
    match &open.entries {
        Err(error) => {
            canvas.paragraph(inner, error.as_str(), 12.5, colors.warning, 3, Align::Min);
        }
        Ok(entries) if entries.is_empty() => {
            canvas.paragraph(inner, "No folder and no model in here.", 12.5, colors.muted, 1, Align::Min);
        }
        Ok(entries) => {
            let last = entries.len().saturating_sub(LINES);
            open.first = scrolled(canvas, inner, open.first).min(last);
            let shown = entries.iter().enumerate().skip(open.first);
            for ((index, entry), place) in shown.zip(rows(inner, LINES, 0.0)) {
                if entry_line(canvas, place, index, entry) {
                    let path = open.folder.join(&entry.name);
                    if entry.folder { go = Some(path) } else { chosen = Some(path) }
                }
            }
            if last > 0 {
                let text = format!("{} of {}, scroll for more", LINES.min(entries.len()), entries.len());
                canvas.text(last_line.left_center(), Align2::LEFT_CENTER, text, 11.0, colors.faint);
            }
        }
    }
    if let Some(folder) = go {
        open = Open::at(&folder);
    }
    let stays = chosen.is_none() && !cancelled && !beside.clicked();
    canvas.ui.data_mut(|data| data.insert_temp(state_id(), stays.then_some(open)));
    canvas.actions.extend(chosen.map(Action::OpenModel));
}

/// Where to begin: the user's own folder.
fn start() -> PathBuf {
    let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    std::env::var_os(variable).map_or_else(|| PathBuf::from("/"), PathBuf::from)
}

/// The first line to show after what the wheel did over the list.
fn scrolled(canvas: &Canvas<'_>, lines: Rect, first: usize) -> usize {
    let over = canvas.ui.input(|input| input.pointer.hover_pos()).is_some_and(|at| lines.contains(at));
    let turned: f32 = canvas.ui.input(|input| {
        let turns = input.events.iter().filter_map(|event| match event {
            Event::MouseWheel { unit: egui::MouseWheelUnit::Line, delta, .. } => Some(delta.y),
            Event::MouseWheel { delta, .. } => Some(delta.y / 20.0),
            _ => None,
        });
        turns.sum()
    });
    if over { (first as f32 - 3.0 * turned).max(0.0) as usize } else { first }
}

fn entry_line(canvas: &mut Canvas<'_>, place: Rect, index: usize, entry: &Entry) -> bool {
    let colors = canvas.theme;
    let response =
        canvas.touch(place, line_id(index), Sense::CLICK).on_hover_cursor(CursorIcon::PointingHand);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &entry.name));
    if response.hovered() {
        canvas.painter().rect_filled(place, canvas.px(5.0), colors.control_hover);
    }
    let words = place.shrink2(Vec2::new(canvas.px(8.0), 0.0));
    let (ink, end) = if entry.folder { (colors.muted, "/") } else { (colors.text, "") };
    canvas.label(words, format!("{}{end}", entry.name), 13.0, ink, Align::Min);
    response.clicked()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_come_first_and_only_models_are_listed() {
        let folder = std::env::temp_dir().join(format!("idiom-browser-{}", std::process::id()));
        fs::create_dir_all(folder.join("Zoo")).unwrap();
        fs::create_dir_all(folder.join(".hidden")).unwrap();
        for name in ["b.onnx", "A.TFLITE", "notes.txt", ".secret.onnx"] {
            fs::write(folder.join(name), "").unwrap();
        }
        let names: Vec<_> = list(&folder).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["Zoo", "A.TFLITE", "b.onnx"]);
        fs::remove_dir_all(&folder).unwrap();
        assert!(list(&folder).unwrap_err().contains("cannot be opened"));
    }
}
