// Sets the theme before anything is drawn, so that nothing flashes.
document.documentElement.dataset.theme = localStorage.getItem("kinfolk.theme") || "auto";
