// The collector's page, part three: photos, made smaller on the phone. Drawn anew they carry no place, no time and
// no telephone's name.
(() => {
  const SIDE = 1600;
  const QUALITY = 0.82;
  const THUMB = 96;

  const drawn = (picture, side) => {
    const scale = Math.min(1, side / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(picture.width * scale));
    canvas.height = Math.max(1, Math.round(picture.height * scale));
    const pen = canvas.getContext("2d");
    // What is see-through would turn black in a JPEG.
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
    return canvas;
  };
  /// A file as a JPEG of at most 1600 px; null if this browser cannot read it as a picture.
  Collect.smaller = async (file) => {
    let picture;
    try {
      picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch {
      return null;
    }
    const canvas = drawn(picture, SIDE);
    picture.close();
    return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  };
  /// A small picture of it, without an address: nothing but our own files may be loaded here.
  Collect.thumb = async (blob, label) => {
    const picture = await createImageBitmap(blob);
    const canvas = drawn(picture, THUMB * 2);
    picture.close();
    canvas.className = "thumb";
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", label);
    return canvas;
  };
})();
