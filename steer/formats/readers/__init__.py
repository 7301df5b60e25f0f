"""One file for each family of formats; each row of ``steer.formats.table`` names one reader."""
