# Plug-ins (src/plugin/plugin.h): modules that are linked with a library which the program itself does
# not need. They are built into libexec/sockcat of the build tree and installed to libexec/sockcat.
#
#   sockcat_plugin(NAME LIBRARY target PACKAGE name version [component] SOURCES file...)
#
# SOCKCAT_<NAME>: AUTO builds it if find_package finds the library, ON requires it, OFF leaves it out.
# A static program cannot load plug-ins, and fuzz targets do not use them.
if(SOCKCAT_STATIC OR SOCKCAT_FUZZ)
    set(sockcat_plugins OFF)
else()
    set(sockcat_plugins ON)
endif()

# The places relative to the program's, so that an installation can be moved.
file(RELATIVE_PATH sockcat_plugin_folder
    "${CMAKE_INSTALL_FULL_BINDIR}" "${CMAKE_INSTALL_FULL_LIBEXECDIR}/sockcat")

# Sets `found` of the caller: whether to build the plug-in or program, by the choice and the library.
function(sockcat_plugin_find name kind)
    cmake_parse_arguments(PARSE_ARGV 2 plugin "" "LIBRARY" "PACKAGE;SOURCES")
    set(found OFF PARENT_SCOPE)
    string(TOUPPER "SOCKCAT_${name}" choice)
    set(${choice} AUTO CACHE STRING "Build the ${kind} ${name}: AUTO, ON or OFF")
    set_property(CACHE ${choice} PROPERTY STRINGS AUTO ON OFF)
    if(NOT sockcat_plugins OR NOT ${choice})
        message(STATUS "The ${kind} ${name}: not built")
        return()
    endif()
    list(POP_FRONT plugin_PACKAGE package)
    string(REGEX REPLACE ";?COMPONENTS.*" "" version "${plugin_PACKAGE}")
    if(${choice} STREQUAL AUTO)
        find_package(${package} ${plugin_PACKAGE} QUIET)
    else()
        find_package(${package} ${plugin_PACKAGE} REQUIRED)
    endif()
    if(NOT TARGET ${plugin_LIBRARY} OR NOT ${package}_FOUND)
        message(STATUS "The ${kind} ${name}: not built, without ${package} ${version}")
        return()
    endif()
    message(STATUS "The ${kind} ${name}: with ${package}")
    set(found ON PARENT_SCOPE)
endfunction()

function(sockcat_plugin name)
    cmake_parse_arguments(PARSE_ARGV 1 plugin "" "LIBRARY" "PACKAGE;SOURCES")
    sockcat_plugin_find(${name} plug-in ${ARGN})
    if(NOT found)
        return()
    endif()
    add_library(plugin_${name} MODULE ${plugin_SOURCES})
    # Debian wants each library linked with the C library, also one that calls nothing of it.
    target_link_libraries(plugin_${name} PRIVATE sockcat_core ${plugin_LIBRARY} -Wl,--no-as-needed c)
    target_compile_definitions(plugin_${name} PRIVATE "SOCKCAT_VERSION=\"${PROJECT_VERSION}\"")
    # Nothing of the static library is exported.
    target_link_options(plugin_${name} PRIVATE -Wl,--exclude-libs,ALL)
    set_target_properties(plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name} SUFFIX .so
        C_VISIBILITY_PRESET hidden LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/libexec/sockcat")
    install(TARGETS plugin_${name} LIBRARY DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/sockcat"
        PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
    # The target sockcat alone makes a program that finds it.
    add_dependencies(sockcat plugin_${name})
endfunction()

# The same for a program that sockcat starts when an option asks for it: sockcat-NAME.
function(sockcat_helper name)
    cmake_parse_arguments(PARSE_ARGV 1 plugin "" "LIBRARY" "PACKAGE;SOURCES")
    sockcat_plugin_find(${name} program ${ARGN})
    if(NOT found)
        return()
    endif()
    add_executable(helper_${name} ${plugin_SOURCES})
    target_link_libraries(helper_${name} PRIVATE sockcat_core ${plugin_LIBRARY})
    set_target_properties(helper_${name} PROPERTIES OUTPUT_NAME sockcat-${name}
        RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/libexec/sockcat")
    install(TARGETS helper_${name} RUNTIME DESTINATION "${CMAKE_INSTALL_LIBEXECDIR}/sockcat")
    add_dependencies(sockcat helper_${name})
endfunction()
