"""One file a service that the stand-in answers for; each ends in SERVICE."""
