// Photos are made smaller before they are sent: a village's line carries a tenth of what a telephone makes. Without
// this they are sent as they are.
(() => {
  "use strict";
  const LONGEST = 1600;
  const SMALL_BYTES = 400 * 1024;
  const QUALITY = 0.82;
  if (!window.createImageBitmap || !window.DataTransfer) return;

  const size = (bytes) => (bytes >= 1048576 ? `${(bytes / 1048576).toFixed(1)} MB` : `${Math.ceil(bytes / 1024)} KB`);

  const smaller = async (file) => {
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch {
      // Not for this browser to read: the other side says what it is.
      return file;
    }
    try {
      const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
      if (scale === 1 && file.size <= SMALL_BYTES) return file;
      const canvas = document.createElement("canvas");
      canvas.width = Math.max(1, Math.round(picture.width * scale));
      canvas.height = Math.max(1, Math.round(picture.height * scale));
      const paper = canvas.getContext("2d");
      // What shines through a PNG is paper and not black.
      paper.fillStyle = "#fff";
      paper.fillRect(0, 0, canvas.width, canvas.height);
      paper.drawImage(picture, 0, 0, canvas.width, canvas.height);
      const made = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
      if (!made || made.size >= file.size) return file;
      return new File([made], file.name.replace(/\.[^.]*$/, "") + ".jpg", { type: "image/jpeg" });
    } finally {
      picture.close();
    }
  };

  const choose = async (input) => {
    const form = input.form;
    const said = input.closest(".photo-field").querySelector("[data-saved]");
    const files = [...input.files];
    const buttons = [...form.querySelectorAll("button")];
    said.textContent = files.length > 0 ? input.dataset.working : "";
    buttons.forEach((b) => b.toggleAttribute("disabled", true));
    try {
      const out = new DataTransfer();
      let before = 0;
      let after = 0;
      // One at a time: a telephone has little memory for large pictures.
      for (const file of files) {
        const made = await smaller(file);
        before += file.size;
        after += made.size;
        out.items.add(made);
      }
      // Chosen anew meanwhile: that is dealt with by itself.
      if (input.files.length !== files.length || files.some((f, n) => input.files[n] !== f)) return;
      input.files = out.files;
      said.textContent = after < before ? `${input.dataset.smaller} ${size(before)} → ${size(after)}` : "";
    } catch {
      said.textContent = "";
    } finally {
      buttons.forEach((b) => b.toggleAttribute("disabled", false));
    }
  };

  document.addEventListener("change", (e) => {
    if (e.target.matches && e.target.matches("input[type=file][data-photos]")) choose(e.target);
  });
})();
