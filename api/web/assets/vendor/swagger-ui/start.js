// Starts Swagger UI over this server's own description. Address parameters are not read (`queryConfigEnabled`), and
// nothing is sent to a validator elsewhere.
"use strict";
window.addEventListener("DOMContentLoaded", () => {
  const place = document.getElementById("swagger-ui");
  window.SwaggerUIBundle({
    url: place.dataset.description,
    domNode: place,
    deepLinking: true,
    queryConfigEnabled: false,
    validatorUrl: "none",
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
  });
});
