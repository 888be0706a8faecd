"use strict";
(function () {
  const sounds = JSON.parse(document.getElementById("sounds").textContent);
  const audio = document.getElementById("audio");
  const lists = Array.from(document.querySelectorAll(".list"));
  const buttons = Array.from(document.querySelectorAll(".play"));
  const keys = ["concept", "side", "layer"];
  let playing = null;

  /* ---- choosing a list ---- */

  function chosen(key) {
    return document.querySelector(".pills input[name=" + key + "]:checked").value;
  }
  function show() {
    const wanted = keys.map(chosen);
    for (const list of lists) list.hidden = keys.some((key, place) => list.dataset[key] !== wanted[place]);
    if (playing && playing.closest(".list").hidden) stop();
  }
  document.querySelectorAll(".pills input").forEach((input) => input.addEventListener("change", show));

  /* ---- one player for all clips ---- */

  function paint() {
    for (const button of buttons) {
      const on = button === playing && !audio.paused;
      button.classList.toggle("on", on);
      button.setAttribute("aria-label", button.getAttribute("aria-label").replace(/^\w+/, on ? "Pause" : "Play"));
    }
  }
  function stop() {
    audio.pause();
    playing = null;
    paint();
  }
  function toggle(button) {
    document.getElementById("trouble").hidden = true;
    if (playing === button && !audio.paused) {
      stop();
      return;
    }
    playing = button;
    audio.src = sounds[button.dataset.clip];
    /* A clip that was swapped before it could begin is no trouble. */
    audio.play().catch((error) => {
      if (error.name !== "AbortError") document.getElementById("trouble").hidden = false;
    });
  }
  for (const button of buttons) button.addEventListener("click", () => toggle(button));
  for (const name of ["play", "pause", "ended"]) audio.addEventListener(name, paint);

  show();
})();
