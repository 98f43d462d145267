# The installed files, and the target "uninstall". Every destination is relative, so that
# "cmake --install --prefix" and DESTDIR apply to all of them. The manual page and the completions are in
# the source tree: installing needs neither Python nor running the program (cross builds).
set(SOCKCAT_ZSH_DIR "${CMAKE_INSTALL_DATADIR}/zsh/site-functions" CACHE STRING
    "Directory of zsh completions")

install(TARGETS sockcat RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(FILES man/sockcat.1 DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES completions/sockcat.bash RENAME sockcat
    DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions")
install(FILES completions/_sockcat DESTINATION "${SOCKCAT_ZSH_DIR}")
install(FILES completions/sockcat.fish
    DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
install(FILES README.md LICENSE man/report.schema.json DESTINATION "${CMAKE_INSTALL_DOCDIR}")
# Examples only, not in the unit path of systemd.
install(FILES packaging/systemd/sockcat-relay.service packaging/systemd/sockcat-relay.socket
    DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples")

configure_file(packaging/uninstall.cmake.in uninstall.cmake @ONLY)
add_custom_target(uninstall COMMAND "${CMAKE_COMMAND}" -P "${CMAKE_BINARY_DIR}/uninstall.cmake")
