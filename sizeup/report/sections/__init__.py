"""The report's sections, one file each that ends in `SECTION = Section(...)`; the report finds them here."""
